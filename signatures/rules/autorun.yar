// Media that want a program to start when they are plugged in.

rule Autorun_Starts_Program
{
    meta:
        title = "autorun.inf that starts a program or script"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1091, Replication Through Removable Media"
    strings:
        $section = "[autorun" nocase
        $open = /\nopen[ \t]{0,8}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|ps1|lnk|dll)/ nocase
        $execute = /shellexecute[ \t]{0,8}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|ps1|lnk|dll)/ nocase
        $verb = /shell\\[^\r\n=]{1,40}\\command[ \t]{0,8}=[^\r\n]{1,200}\.(exe|com|scr|pif|bat|cmd|vbs|vbe|js|jse|wsf|ps1|lnk|dll)/ nocase
    condition:
        filesize < 64KB and $section in (0..4096) and any of ($open, $execute, $verb)
}

rule Autorun_From_Recycler
{
    meta:
        title = "autorun.inf that starts something from a hidden recycle bin, as USB worms do"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "Microsoft Security Intelligence, Worm:Win32/Autorun and Worm:Win32/Conficker"
    strings:
        $section = "[autorun" nocase
        $bin = /=[^\r\n]{0,40}(RECYCLER|\$RECYCLE\.BIN|RECYCLED)\\[^\r\n]{1,200}\.(exe|com|scr|dll|vmx|vbs|js)/ nocase
    condition:
        filesize < 256KB and $section and $bin
}
