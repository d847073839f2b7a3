// Media that want a program to start when they are plugged in, or when their folder is shown. Windows reads the file in the
// code page of the system or in UTF-16, hence "ascii wide".

rule Autorun_Starts_Program
{
    meta:
        title = "autorun.inf that starts a program or script"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1091, Replication Through Removable Media"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[autorun(\.[a-z0-9]{1,8})?\]/ nocase ascii wide
        $open = /[\r\n][ \t]{0,16}open[ \t]{0,16}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|lnk|dll|cpl|msi)/ nocase ascii wide
        $execute = /[\r\n][ \t]{0,16}shellexecute[ \t]{0,16}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|lnk|dll|cpl|msi)/ nocase ascii wide
        $verb = /[\r\n][ \t]{0,16}shell\\[^\r\n=]{1,40}\\command[ \t]{0,16}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|wsh|hta|ps1|lnk|dll|cpl|msi)/ nocase ascii wide
    condition:
        filesize < 16MB and $section and any of ($open, $execute, $verb)
}

rule Autorun_From_Recycler
{
    meta:
        title = "autorun.inf that starts something from a hidden recycle bin, as USB worms do"
        author = "Blanche"
        version = "3"
        severity = "malicious"
        reference = "Microsoft Security Intelligence, Worm:Win32/Autorun and Worm:Win32/Conficker"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[autorun(\.[a-z0-9]{1,8})?\]/ nocase ascii wide
        $bin = /(open|shellexecute|command)[ \t]{0,16}=[^\r\n]{0,80}(RECYCLER|\$RECYCLE\.BIN|RECYCLED)[\\\/][^\r\n]{1,200}\.(exe|com|scr|dll|vmx|vbs|js|cmd|bat|pif)/ nocase ascii wide
    condition:
        filesize < 16MB and $section and $bin
}

rule Autorun_Disguised_As_Folder
{
    meta:
        title = "autorun.inf whose entry looks like 'open the folder' and starts a program"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "Microsoft Security Intelligence, Worm:Win32/Conficker.B (AutoPlay text and folder icon); MITRE ATT&CK T1036"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[autorun(\.[a-z0-9]{1,8})?\]/ nocase ascii wide
        // The icons of a folder, closed and open, and of a drive.
        $icon = /[\r\n][ \t]{0,16}icon[ \t]{0,16}=[^\r\n]{0,60}shell32\.dll[ \t]{0,8},[ \t]{0,8}(3|4|7|8)[ \t]{0,16}[\r\n]/ nocase ascii wide
        $action = /[\r\n][ \t]{0,16}action[ \t]{0,16}=[^\r\n]{0,60}(folder|files|dossier|fichiers|ordner|carpeta|cartella)/ nocase ascii wide
        $start = /[\r\n][ \t]{0,16}(open|shellexecute|shell\\[^\r\n=]{1,40}\\command)[ \t]{0,16}=[ \t]{0,16}[^ \t\r\n]/ nocase ascii wide
    condition:
        filesize < 16MB and $section and $icon and $action and $start
}

rule Autorun_Runs_Interpreter
{
    meta:
        title = "autorun.inf that starts a script host or loads a library"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1091, T1218.011 and T1059"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[autorun(\.[a-z0-9]{1,8})?\]/ nocase ascii wide
        $start = /[\r\n][ \t]{0,16}(open|shellexecute|shell\\[^\r\n=]{1,40}\\command)[ \t]{0,16}=[^\r\n]{0,100}(rundll32|regsvr32|wscript|cscript|mshta|powershell|cmd(\.exe)?[ \t]{1,8}\/[ckr])/ nocase ascii wide
    condition:
        filesize < 16MB and $section and $start
}

rule Folder_Settings_Ask_Network
{
    meta:
        title = "desktop.ini that takes its icon from another computer, which hands over the user's credentials"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1187, Forced Authentication; Microsoft, How to customize folders with desktop.ini"
    strings:
        $section = "[.ShellClassInfo]" nocase ascii wide
        $remote = /[\r\n][ \t]{0,16}(IconResource|IconFile|InfoTip|LocalizedResourceName|Logo)[ \t]{0,16}=[ \t"@]{0,16}(\\\\|\/\/|https?:\/\/)[a-z0-9.-]{1,200}/ nocase ascii wide
    condition:
        filesize < 16MB and $section and $remote
}
