// Windows shortcuts (MS-SHLLINK). 2.1: a header of 0x4c bytes, the class identifier 00021401-…-46, LinkFlags at 20 (0x01
// target list, 0x02 link information, 0x20 arguments, 0x40 icon), IconIndex at 56. The target list has its length at 76
// (2.2), the link information its own length in front (2.3), then come name, relative path, folder, arguments and icon
// (2.4). "for any text in (x..x)" binds the place where those strings begin: classic YARA has no other name for a value.

rule Shortcut_Starts_Interpreter
{
    meta:
        title = "Shortcut that gives a command interpreter or script host something to do"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002 and T1547.009; MS-SHLLINK 2.1.1 and 2.4"
    strings:
        $program = /(^|[^a-z0-9-])(powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32|msiexec|forfiles|conhost|ftp|bitsadmin|certutil|hh|wmic|curl|ssh|scriptrunner|msbuild|installutil|cmstp|pcalua|odbcconf|finger|pythonw?|javaw|autoit3(_x64)?)\.exe/ nocase ascii wide
        $powershell = "powershell" nocase ascii wide
        $mshta = "mshta" nocase ascii wide
        $comspec = "%comspec%" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and any of them
}

rule Shortcut_Hides_Download
{
    meta:
        title = "Shortcut whose command is encoded, or fetches what it runs"
        author = "Blanche"
        version = "3"
        severity = "malicious"
        reference = "MITRE ATT&CK T1059.001, T1027.010 and T1105; MS-SHLLINK 2.4"
    strings:
        $interpreter = /(powershell|pwsh|mshta|cmd\.exe|%comspec%|conhost|forfiles|rundll32|regsvr32|msiexec|wscript|cscript)/ nocase ascii wide
        // PowerShell takes every beginning of a parameter's name, and "/" or a long dash for "-".
        $encoded = /[ "'][-\/]e(c|n|nc|nco|ncod|ncode|ncoded|ncodedc|ncodedco|ncodedcom|ncodedcomm|ncodedcomma|ncodedcomman|ncodedcommand)?[ "']{1,40}[a-z0-9+\/]{8,}/ nocase ascii wide
        $decode = "frombase64string" nocase ascii wide
        $fetch1 = /\.download(string|file|data)/ nocase ascii wide
        $fetch2 = "invoke-webrequest" nocase ascii wide
        $fetch3 = "invoke-restmethod" nocase ascii wide
        $fetch4 = /(iwr|irm|curl(\.exe)?|wget)[ ]{1,8}[^\r\n]{0,80}https?:\/\// nocase ascii wide
        $fetch5 = /mshta(\.exe)?["' ]{1,8}https?:\/\// nocase ascii wide
        $fetch6 = /bitsadmin[^\r\n]{0,60}\/transfer/ nocase ascii wide
        $fetch7 = /certutil[^\r\n]{0,60}(urlcache|decode)/ nocase ascii wide
        $fetch8 = /(msiexec|regsvr32)[^\r\n]{0,120}https?:\/\// nocase ascii wide
        $fetch9 = "start-bitstransfer" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and $interpreter and ($encoded or $decode or any of ($fetch*))
}

rule Shortcut_Replaces_Folder
{
    meta:
        title = "Shortcut that opens a folder and starts a program behind it, as USB worms leave it"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1091 and T1564.001; Microsoft Security Intelligence, Worm:Win32/Gamarue and Worm:VBS/Jenxcus"
    strings:
        $start = /(start|wscript|cscript|rundll32|call|&)[ \t"]{1,8}[^\r\n]{0,160}\.(exe|com|scr|pif|vbs|vbe|js|jse|wsf|bat|cmd|dll|db|ini|tmp|chk|dat)/ nocase ascii wide
        $show = /[& \t"](explorer(\.exe)?|start)[ \t"]{1,8}[^\r\n&]{0,160}[\r\n&"%\\]/ nocase ascii wide
        $explorer = /explorer(\.exe)?[ \t"]{1,8}[^|<>\r\n]{1,160}/ nocase ascii wide
        $command = /(cmd(\.exe)?|%comspec%)/ nocase ascii wide
        $chain = /[^&]&[^&]/ wide
        // Explorer started anew is no program of the medium.
        $own = /(start|call|&)[ \t"]{1,8}((start|call)[ \t"]{1,8})?(explorer|taskkill)(\.exe)?[ \t"]{0,8}([\r\n&\/]|[^ -~]|$)/ nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and $command and $show and $explorer and $chain
        and for any i in (1..#start): (not $own at @start[i])
}

rule Shortcut_Loads_Hidden_Library
{
    meta:
        title = "Shortcut that makes rundll32 load a file beside it whose name is no library's"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1218.011 and T1091; Microsoft Security Intelligence, Worm:Win32/Gamarue"
    strings:
        $rundll = "rundll32" nocase ascii wide
        // At the beginning of the arguments (behind the end of the path and a count) or of a word, hence without a drive or
        // a system folder: "~$WABX.FAT32,abc", "\_\x.ini,Start".
        $library = /(exe.|[^:\\a-z0-9_.$~%-])[\\_~$.a-z0-9-]{1,80}\.(ini|db|tmp|dat|bin|fat|fat32|ntfs|usb|nls|inf|log|png|jpg|txt|chk|sys)"?[ ]{0,8},[ ]{0,8}[#a-z0-9_]{1,64}/s nocase wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and $rundll
        and for any text in (76 + (uint32(20) & 1) * (2 + uint16(76))..76 + (uint32(20) & 1) * (2 + uint16(76))):
            ($library in (text..filesize))
}

rule Shortcut_Feeds_Interpreter_From_File
{
    meta:
        title = "Shortcut that has the command interpreter read its commands from a data file"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "Red Canary, Raspberry Robin (2022); MITRE ATT&CK T1059.003"
    strings:
        $command = /(cmd(\.exe)?|%comspec%)/ nocase ascii wide
        $feed = /\/[a-z][ \t]{0,40}(cmd(\.exe)?)?[ \t]{0,40}<[ \t]{0,40}[^ <>|&\r\n]{1,120}/ nocase wide
        $type = /type[ \t]{1,40}[^ <>|&\r\n]{1,120}[ \t]{0,40}\|[ \t]{0,40}cmd/ nocase wide
        // Programs that read a list have switches too.
        $list = /(sort|find|findstr|more)(\.exe)?[ \t]{1,8}\/[a-z][ \t]{0,40}<[ \t]{0,40}[^ <>|&\r\n]{1,120}/ nocase wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and $command and ($type or #feed > #list)
}

rule Shortcut_Pads_Arguments
{
    meta:
        title = "Shortcut whose arguments are moved out of sight by white space"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "Trend Micro ZDI-CAN-25373, CVE-2025-9491; MS-SHLLINK 2.4"
    strings:
        $spaces = "                                                                " wide
        $tabs = { 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 09 00 }
        $lines = { 0a 00 0d 00 0a 00 0d 00 0a 00 0d 00 0a 00 0d 00 0a 00 0d 00 0a 00 0d 00 }
        $feeds = { 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 0a 00 }
        $vertical = { (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 (0b | 0c) 00 }
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x20 != 0 and any of them
}

rule Shortcut_Wears_Document_Icon
{
    meta:
        title = "Shortcut that starts an interpreter and looks like a document or folder"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1036.008 and T1204.002; MS-SHLLINK 2.1 (IconIndex) and 2.4"
    strings:
        $program = /(powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|cmd|msiexec|conhost|forfiles)\.exe/ nocase ascii wide
        $icon = /(\.(pdf|docx?|xlsx?|pptx?|odt|rtf|txt|jpe?g|png|zip|mp4)|acrord32\.exe|acrobat\.exe|winword\.exe|excel\.exe|powerpnt\.exe|msedge\.exe|wordicon\.exe|xlicons\.exe|pptico\.exe)\x00/ nocase wide
        $shell = /(shell32|imageres)\.dll/ nocase wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB
        and uint32(20) & 0x60 == 0x60 and $program
        and for any text in (76 + (uint32(20) & 1) * (2 + uint16(76))..76 + (uint32(20) & 1) * (2 + uint16(76))):
            ($icon in (text..filesize)
            // Folders, drives and text files in those libraries.
            or ($shell in (text..filesize) and (uint32(56) == 1 or uint32(56) == 3 or uint32(56) == 4 or uint32(56) == 7 or uint32(56) == 8
                or uint32(56) == 70 or uint32(56) == 126 or uint32(56) == 0xfffffffd or uint32(56) == 0xfffffffc)))
}

rule Shortcut_Carries_Program
{
    meta:
        title = "Shortcut with a program, script or archive behind its end"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1027.009 and T1204.002; MS-SHLLINK 2.5 (what follows the terminal block belongs to nobody)"
    strings:
        $stub = { 4d 5a [76-200] 54 68 69 73 20 70 72 6f 67 72 61 6d 20 }
        $stub64 = "This program cannot be run" base64
        $cabinet = { 4d 53 43 46 00 00 00 00 }
        $zip = { 50 4b 03 04 14 00 }
        $pdf = "%PDF-1."
        $script1 = "<script" nocase ascii
        $script2 = "<hta:application" nocase ascii
        $script3 = "createobject(" nocase ascii
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize > 512 and filesize < 64MB and any of them
}

rule Shortcut_Target_On_Web_Folder
{
    meta:
        title = "Shortcut to a program on a web folder"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1105 and T1187; Microsoft, WebDAV redirector (host@port and DavWWWRoot)"
    strings:
        $dav = /\\\\[a-z0-9.-]{1,120}(@ssl)?(@[0-9]{1,5})?\\(davwwwroot\\)?[^\x00]{0,200}\.(exe|dll|cpl|scr|bat|cmd|vbs|js|jse|wsf|hta|msi|lnk|ps1)/ nocase ascii wide
        $mark1 = "@ssl" nocase ascii wide
        $mark2 = /@(80|443|8080|8443|8888)[@\\]/ ascii wide
        $mark3 = "davwwwroot" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB and $dav and any of ($mark*)
}

rule Shortcut_Control_Panel_Library
{
    meta:
        title = "Shortcut that makes Explorer load a library when its icon is shown"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "CVE-2010-2568, MS10-046; MS-SHLLINK 2.2"
    strings:
        // Item identifiers of My Computer and of the Control Panel in it.
        $computer = { e0 4f d0 20 ea 3a 69 10 a2 d8 08 00 2b 30 30 9d }
        $panel = { 20 20 ec 21 ea 3a 69 10 a2 dd 08 00 2b 30 30 9d }
        $library = /\.(dll|tmp|ocx|dat|bin)\x00/ nocase wide
        $system = "\\system32\\" nocase wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB and uint32(20) & 1 == 1
        and $computer in (78..110) and $panel in (78..150) and $library in (100..78 + uint16(76)) and not $system
}

rule Shortcut_Folder_Is_Program
{
    meta:
        title = "Shortcut that looks like a folder or drive and starts a program or script"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1091 and T1036.008; MS-SHLLINK 2.1 (IconIndex) and 2.4"
    strings:
        // In the target list, in the link information or in the strings, whose lengths stand behind them like letters.
        $program = /\.(exe|scr|com|pif|bat|cmd|vbs|vbe|js|jse|wsf|hta)/ nocase ascii wide
        $shell = /(shell32|imageres)\.dll/ nocase wide
        $explorer = "explorer.exe" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 64MB and uint32(20) & 0x40 != 0
        and $program and $shell and not $explorer
        // Folders and drives in those libraries, by number or by name.
        and (uint32(56) == 3 or uint32(56) == 4 or uint32(56) == 7 or uint32(56) == 8 or uint32(56) == 0xfffffffd or uint32(56) == 0xfffffffc)
}
