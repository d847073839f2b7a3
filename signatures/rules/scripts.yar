// Scripts that fetch a program and start it.

rule Script_PowerShell_Downloader
{
    meta:
        title = "PowerShell that fetches code and runs it"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.001 and T1105"
    strings:
        $fetch1 = ".downloadstring(" nocase ascii wide
        $fetch2 = ".downloadfile(" nocase ascii wide
        $fetch3 = ".downloaddata(" nocase ascii wide
        $fetch4 = "invoke-webrequest" nocase ascii wide
        $fetch5 = "start-bitstransfer" nocase ascii wide
        $run1 = "invoke-expression" nocase ascii wide
        $run2 = "iex(" nocase ascii wide
        $run3 = "iex (" nocase ascii wide
        $run4 = "|iex" nocase ascii wide
        $run5 = "| iex" nocase ascii wide
        $run6 = "start-process" nocase ascii wide
        $run7 = "[reflection.assembly]::load" nocase ascii wide
    condition:
        filesize < 4MB and uint16(0) != 0x5a4d and any of ($fetch*) and any of ($run*)
}

rule Script_Windows_Host_Dropper
{
    meta:
        title = "VBScript or JScript that fetches a file, saves it and runs it"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1059.005, T1059.007 and T1105"
    strings:
        $fetch1 = "msxml2.xmlhttp" nocase ascii wide
        $fetch2 = "msxml2.serverxmlhttp" nocase ascii wide
        $fetch3 = "winhttp.winhttprequest" nocase ascii wide
        $fetch4 = "microsoft.xmlhttp" nocase ascii wide
        $stream = "adodb.stream" nocase ascii wide
        $save = "savetofile" nocase ascii wide
        $run1 = "wscript.shell" nocase ascii wide
        $run2 = "shell.application" nocase ascii wide
    condition:
        filesize < 4MB and uint16(0) != 0x5a4d and any of ($fetch*) and $stream and $save and any of ($run*)
}

rule Script_Batch_Downloader
{
    meta:
        title = "Batch file that fetches a program with Windows' own tools and starts it"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.003 and T1105; LOLBAS certutil, bitsadmin"
    strings:
        $echo = "@echo off" nocase
        $certutil = /certutil(\.exe)?[ \t][^\r\n]{0,80}-urlcache/ nocase
        $bitsadmin = /bitsadmin(\.exe)?[ \t][^\r\n]{0,80}\/transfer/ nocase
        $run1 = "\nstart " nocase
        $run2 = "\ncall " nocase
        $run3 = "%temp%\\" nocase
    condition:
        filesize < 1MB and $echo in (0..1024) and any of ($certutil, $bitsadmin) and any of ($run*)
}
