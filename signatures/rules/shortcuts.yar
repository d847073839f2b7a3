// Windows shortcuts (MS-SHLLINK 2.1: a header of 0x4c bytes and the class identifier 00021401-…-46).

rule Shortcut_Starts_Interpreter
{
    meta:
        title = "Shortcut that starts a command interpreter or script host"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002 and T1547.009; MS-SHLLINK 2.1"
    strings:
        $powershell = "powershell" nocase ascii wide
        $pwsh = "pwsh.exe" nocase ascii wide
        $cmd = "cmd.exe" nocase ascii wide
        $mshta = "mshta" nocase ascii wide
        $wscript = "wscript" nocase ascii wide
        $cscript = "cscript" nocase ascii wide
        $rundll = "rundll32" nocase ascii wide
        $regsvr = "regsvr32" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 1MB and any of them
}

rule Shortcut_Hides_Download
{
    meta:
        title = "Shortcut whose command is encoded, hidden or fetched from elsewhere"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1059.001 and T1027; MS-SHLLINK 2.4"
    strings:
        $interpreter1 = "powershell" nocase ascii wide
        $interpreter2 = "mshta" nocase ascii wide
        $interpreter3 = "cmd.exe" nocase ascii wide
        $encoded1 = " -enc " nocase ascii wide
        $encoded2 = "-encodedcommand" nocase ascii wide
        $encoded3 = "frombase64string" nocase ascii wide
        $fetch1 = "downloadstring" nocase ascii wide
        $fetch2 = "downloadfile" nocase ascii wide
        $fetch3 = "invoke-webrequest" nocase ascii wide
        $fetch4 = "mshta http" nocase ascii wide
        $fetch5 = "bitsadmin" nocase ascii wide
        $fetch6 = "certutil" nocase ascii wide
    condition:
        uint32(0) == 0x0000004c and uint32(4) == 0x00021401 and filesize < 1MB
        and any of ($interpreter*) and any of ($encoded*, $fetch*)
}
