// Content that is not what its beginning or its name says. Rules see no names on the medium; names in archives stand in their
// content: a ZIP entry is "PK 01 02", 42 bytes, the name, then extra fields (APPNOTE 4.3.12). Extra fields begin with an
// identifier and a length below 256, so a name ends before "PK" or three bytes and a zero.

rule Disguise_Program_In_Picture
{
    meta:
        title = "Windows program behind the beginning of a picture, film or sound"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.003 and T1036; Microsoft PE format, 'MS-DOS Stub'"
    strings:
        $program = { 4d 5a [60-252] 54 68 69 73 20 70 72 6f 67 72 61 6d 20 (63 61 6e 6e 6f 74 | 6d 75 73 74) 20 62 65 20 72 75 6e }
        $pe = { 50 45 00 00 (4c 01 | 64 86 | 64 aa | c4 01) }
    condition:
        // JPEG, PNG, GIF, BMP, TIFF, RIFF (WebP, WAV, AVI), MP4, MP3
        (uint16be(0) == 0xffd8 or uint32be(0) == 0x89504e47 or uint32be(0) == 0x47494638 or uint16be(0) == 0x424d
            or uint32be(0) == 0x49492a00 or uint32be(0) == 0x4d4d002a or uint32be(0) == 0x52494646
            or uint32be(4) == 0x66747970 or uint32be(0) & 0xffffff00 == 0x49443300)
        and for any i in (1..#program): ($pe in (@program[i] + 64..@program[i] + 1024))
}

rule Disguise_Program_In_Document
{
    meta:
        title = "Windows program that stands uncompressed in a PDF or RTF document"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.009; Microsoft PE format, 'MS-DOS Stub'"
    strings:
        $program = { 4d 5a [60-252] 54 68 69 73 20 70 72 6f 67 72 61 6d 20 (63 61 6e 6e 6f 74 | 6d 75 73 74) 20 62 65 20 72 75 6e }
        $pe = { 50 45 00 00 (4c 01 | 64 86 | 64 aa | c4 01) }
        // The same in the hexadecimal of RTF and of ASCIIHexDecode, and in base64.
        $hexadecimal = "546869732070726f6772616d2063616e6e6f742062652072756e" nocase
        $base64 = "This program cannot be run in DOS mode" base64
    condition:
        (uint32be(0) == 0x25504446 or uint32be(0) == 0x7b5c7274)
        and ((for any i in (1..#program): ($pe in (@program[i] + 64..@program[i] + 1024))) or $hexadecimal or $base64)
}

rule Disguise_Html_Application_In_Picture
{
    meta:
        title = "HTML application or script behind the beginning of a picture"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.003 and T1218.005"
    strings:
        $application = "<hta:application" nocase
        $script = "<script" nocase
        $shell = /(wscript\.shell|shell\.application|activexobject|createobject)/ nocase
    condition:
        (uint16be(0) == 0xffd8 or uint32be(0) == 0x89504e47 or uint32be(0) == 0x47494638 or uint16be(0) == 0x424d)
        and ($application or ($script and $shell))
}

rule Disguise_Archive_Behind_Picture
{
    meta:
        title = "Archive directly behind the end of a picture"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.003; PNG (ISO/IEC 15948) 11.2.5; JPEG (ITU-T T.81) B.1.1.3"
    strings:
        $png = { 49 45 4e 44 ae 42 60 82 (50 4b 03 04 | 52 61 72 21 1a 07 | 37 7a bc af 27 1c | 4d 5a 90 00) }
        $jpeg = { ff d9 (50 4b 03 04 | 52 61 72 21 1a 07 | 37 7a bc af 27 1c | 4d 5a 90 00) }
        $gif = { 00 3b (50 4b 03 04 | 52 61 72 21 1a 07 | 37 7a bc af 27 1c | 4d 5a 90 00) }
    condition:
        (uint32be(0) == 0x89504e47 and $png) or (uint16be(0) == 0xffd8 and $jpeg) or (uint32be(0) == 0x47494638 and $gif)
}

rule Disguise_Right_To_Left_Name_In_Archive
{
    meta:
        title = "Archive with a program whose name is turned around by a right-to-left override"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1036.002; Unicode UAX #9, U+202E; PKWARE APPNOTE 4.3.12"
    strings:
        $zip = /PK\x01\x02.{42}[^\x00-\x1f]{0,200}\xe2\x80[\xae\xab\xa7][^\x00-\x1f\/]{1,100}\.(exe|scr|com|pif|bat|cmd|lnk|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl|dll|jar)/s nocase
        $other = /\xe2\x80\xae[^\x00-\x1f\/\\]{1,100}\.(exe|scr|com|pif|bat|cmd|lnk|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl|jar)/ nocase
    condition:
        (uint32be(0) == 0x504b0304 and $zip) or ((uint32be(0) == 0x52617221 or uint32be(257) == 0x75737461) and $other)
}

rule Disguise_Double_Extension_In_Archive
{
    meta:
        title = "Archive with a program whose name ends like a document's, or hides its end behind spaces"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1036.007; PKWARE APPNOTE 4.3.12"
    strings:
        $double = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}\.(pdf|docx?|xlsx?|pptx?|odt|ods|rtf|txt|csv|jpe?g|png|gif|bmp|mp3|mp4|avi|zip|rar|eml|html?)[ _.-]{0,120}\.(exe|scr|com|pif|bat|cmd|lnk|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl)(PK[\x01\x05\x06]|.{3}\x00)/s nocase
        $spaces = /PK\x01\x02.{42}[^\x00-\x1f]{1,200}          [ ]{0,120}\.(exe|scr|com|pif|bat|cmd|lnk|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl)(PK[\x01\x05\x06]|.{3}\x00)/s nocase
    condition:
        uint32be(0) == 0x504b0304 and any of them
}

rule Disguise_Program_Named_Like_Document
{
    meta:
        title = "Windows program whose own version information calls it a document"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1036.007; Microsoft, VERSIONINFO resource, OriginalFilename"
    strings:
        $name = /O\x00r\x00i\x00g\x00i\x00n\x00a\x00l\x00F\x00i\x00l\x00e\x00n\x00a\x00m\x00e\x00[\x00]{2,6}([^\x00]\x00){1,80}\.\x00(p\x00d\x00f|d\x00o\x00c\x00x?|x\x00l\x00s\x00x?|p\x00p\x00t\x00x?|t\x00x\x00t|j\x00p\x00g|p\x00n\x00g)\x00([ _]\x00){0,60}\.\x00(e\x00x\x00e|s\x00c\x00r|c\x00o\x00m|p\x00i\x00f)/ nocase
    condition:
        uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550 and $name
}

rule Disguise_Silent_Selfextractor
{
    meta:
        title = "Self-extracting archive that unpacks in silence and starts a script"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.015 and T1204.002; WinRAR manual, 'SFX scripts'"
    strings:
        $silent = /[\r\n]Silent=[12]/ nocase
        $setup = /[\r\n](Setup|Presetup)=[^\r\n]{1,120}\.(vbs|vbe|js|jse|wsf|bat|cmd|ps1|hta|scr|lnk)/ nocase
        $path = /[\r\n]Path=[^\r\n]{0,40}(%|[A-Z]:|temp|appdata)/ nocase
    condition:
        uint16(0) == 0x5a4d and all of them
}
