// Content that is not what its beginning says.

rule Disguise_Program_In_Picture
{
    meta:
        title = "Windows program behind the beginning of a picture"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.003 and T1036; Microsoft PE format, 'MS-DOS Stub'"
    strings:
        $stub = "This program cannot be run in DOS mode"
        $pe = { 50 45 00 00 (4c 01 | 64 86 | 64 aa | c4 01) }
    condition:
        // JPEG, PNG, GIF, BMP
        (uint16be(0) == 0xffd8 or uint32be(0) == 0x89504e47 or uint32be(0) == 0x47494638 or uint16be(0) == 0x424d)
        and $stub and $pe in (@stub[1]..@stub[1] + 1024)
}

rule Disguise_Html_Application_In_Picture
{
    meta:
        title = "HTML application or script behind the beginning of a picture"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.003 and T1218.005"
    strings:
        $application = "<hta:application" nocase
        $script = "<script" nocase
        $shell = "wscript.shell" nocase
    condition:
        (uint16be(0) == 0xffd8 or uint32be(0) == 0x89504e47 or uint32be(0) == 0x47494638 or uint16be(0) == 0x424d)
        and ($application or ($script and $shell))
}
