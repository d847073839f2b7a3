// Documents and images that carry a program past the mark of the web: OneNote sections, disk images in archives.

rule OneNote_Attaches_Program
{
    meta:
        title = "OneNote section with a program, script or shortcut attached"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1204.002; MS-ONESTORE 2.6.13 (FileDataStoreObject)"
    strings:
        // Identifier, length (8), unused (4), reserved (8), then the file.
        $program = { e7 16 e3 bd 65 26 11 45 a4 c4 8d 4d 0b 7a 9e ac [20] (4d 5a | 4c 00 00 00 01 14 02 00 | 49 54 53 46 | d0 cf 11 e0 a1 b1 1a e1 00 00 00 00) }
        $script = /\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac.{20}[^\x00]{0,2000}(wscript\.shell|powershell|createobject|activexobject|<hta:|@echo off|cmd(\.exe)? \/c|<job|mshta)/s nocase
    condition:
        uint32be(0) == 0xe4525c7b and uint32be(4) == 0x8cd8a74d and any of them
}

rule Image_Holds_Shortcut_And_Program
{
    meta:
        title = "Small disc image with a shortcut and a program or script beside it"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1553.005; ECMA-119 8.4; MS-SHLLINK 2.1"
    strings:
        $shortcut = { 4c 00 00 00 01 14 02 00 00 00 00 00 c0 00 00 00 00 00 00 46 }
        $program = { 4d 5a [60-252] 54 68 69 73 20 70 72 6f 67 72 61 6d 20 }
        $script = /\.(js|jse|vbs|vbe|wsf|bat|cmd|ps1|hta)(;1|\x00)/ nocase
        $script_wide = /\x00\.\x00(j\x00s|v\x00b\x00s|w\x00s\x00f|b\x00a\x00t|c\x00m\x00d|p\x00s\x001|h\x00t\x00a)/ nocase
        $interpreter = /(cmd|powershell|rundll32|wscript|mshta|regsvr32)(\.exe)?/ nocase ascii wide
    condition:
        filesize > 0x9000 and filesize < 64MB and uint32be(0x8001) == 0x43443030
        and for any i in (1..#shortcut): (@shortcut[i] % 2048 == 0)
        and $interpreter and any of ($program, $script, $script_wide)
}

rule Image_In_Archive
{
    meta:
        title = "Archive with nothing but a disk image, whose files escape the mark of the web"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1553.005; PKWARE APPNOTE 4.3.12"
    strings:
        $entry = { 50 4b 01 02 }
        $image = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}\.(iso|img|vhd|vhdx|udf|vmdk)(PK[\x01\x05\x06]|.{3}\x00)/s nocase
    condition:
        uint32be(0) == 0x504b0304 and filesize < 64MB and #entry < 3 and $image
}
