// RTF 1.9.1. Word takes a file for RTF from "{\rt" on, and passes over control words and groups between hexadecimal digits.

rule Rtf_Object_Hidden
{
    meta:
        title = "RTF document whose object is broken up by control words, as no program writes it"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1027 and T1203; RTF 1.9.1, Objects (objdata is hexadecimal)"
    strings:
        $data = /\\objdata[ \t\r\n0-9a-f]{0,40}(\{\\\*?|\\[a-z'*])[^{}]{0,100}[}]?[ \t\r\n]{0,40}[0-9a-f]{2}/ nocase
        $binary = /\\objdata[ \t\r\n0-9a-f]{0,40}\\bin/ nocase
    condition:
        uint32be(0) == 0x7b5c7274 and for any i in (1..#data): (not $binary at @data[i])
}

rule Rtf_Object_In_False_Header
{
    meta:
        title = "RTF document with a false header and an object"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "RTF 1.9.1, Header ('\\rtf1' is required); MITRE ATT&CK T1027"
    strings:
        $object = /\\obj(data|ocx|emb|html|autlink)/ nocase
    condition:
        uint32be(0) == 0x7b5c7274 and not (uint8(4) == 0x66 and uint8(5) == 0x31) and $object
}

rule Rtf_Object_Acts_At_Opening
{
    meta:
        title = "RTF document with an equation or link that is brought up to date while it opens"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "CVE-2017-0199, CVE-2017-11882; RTF 1.9.1, Objects (objupdate)"
    strings:
        $update = "\\objupdate" nocase
        $class = /\\objclass[ \t\r\n]{0,8}(Equation\.|Word\.Document|htmlfile|OLE2Link|Package|Shell\.Explorer|otkloadr)/ nocase
        // "OLE2Link", "Equation.", "Package" at the beginning of the data.
        $name = /(4f4c45324c696e6b|4571756174696f6e2e|5061636b61676500)/ nocase
    condition:
        uint32be(0) == 0x7b5c7274 and $update and any of ($class, $name)
}

rule Rtf_Template_From_Network
{
    meta:
        title = "RTF document that takes its template from the network"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1221; RTF 1.9.1, template"
    strings:
        $template = /\{[ \r\n]{0,8}\\\*[ \r\n]{0,8}\\template[ \r\n]{1,8}(https?:|ftp:|\\\\\\\\|\\'68|\\u-?[0-9]{2,5})/ nocase
    condition:
        uint32be(0) == 0x7b5c7274 and $template
}
