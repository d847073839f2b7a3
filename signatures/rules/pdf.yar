// PDF (ISO 32000-1). Objects in object streams (7.5.7) reach the rules where libclamav unpacks them. Names may hold #xx for
// any character (7.3.5); a program writes that only for characters that cannot stand in a name.

rule Pdf_Starts_Program
{
    meta:
        title = "PDF with an action that starts a program"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "ISO 32000-1, 12.6.4.5 (launch actions); MITRE ATT&CK T1204.002"
    strings:
        $launch = /\/S[ \t\r\n]{0,8}\/(L|#4c)(a|#61)(u|#75)(n|#6e)(c|#63)(h|#68)[^a-z]/ nocase
        $program = /\/(F|P|UF)[ \t\r\n]{0,8}\([^)]{0,200}((cmd|powershell|mshta|wscript|rundll32)[ .)"\\]|\.(exe|bat|cmd|vbs|js|hta|lnk|scr)[^a-z0-9.]|\/bin\/(ba)?sh)/ nocase
    condition:
        all of them
}

rule Pdf_Script_Opens_Attachment
{
    meta:
        title = "PDF script that saves and opens a file from the document"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "Adobe, JavaScript for Acrobat API, Doc.exportDataObject (nLaunch 2)"
    strings:
        $export = /exportDataObject[ \t\r\n]{0,8}\([^)]{0,200}nLaunch["' ]{0,3}:[ ]{0,4}[12]/ nocase ascii wide
    condition:
        filesize < 64MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and (uint32be(0) == 0x25504446 or filesize < 1MB) and $export
}

rule Pdf_Attaches_Program
{
    meta:
        title = "PDF with a program, script or macro document attached"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "ISO 32000-1, 7.11.4 (embedded files); MITRE ATT&CK T1204.002"
    strings:
        $header = "%PDF-"
        $file = /\/(E|#45)(m|#6d)(b|#62)(e|#65)(d|#64)(d|#64)(e|#65)(d|#64)(F|#46)(i|#69)(l|#6c)(e|#65)/ nocase
        $name = /\/U?F[ \t\r\n]{0,8}\([^)\r\n]{1,250}\.\x00?(e\x00?x\x00?e|s\x00?c\x00?r|j\x00?s\x00?e?|v\x00?b\x00?[se]|w\x00?s\x00?f|h\x00?t\x00?a|b\x00?a\x00?t|c\x00?m\x00?d|p\x00?s\x00?1|l\x00?n\x00?k|m\x00?s\x00?i|j\x00?a\x00?r|[dx]\x00?[ol]\x00?[cs]\x00?m|i\x00?s\x00?o|i\x00?m\x00?g|S\x00?e\x00?t\x00?t\x00?i\x00?n\x00?g\x00?C\x00?o\x00?n\x00?t\x00?e\x00?n\x00?t\x00?-\x00?m\x00?s)\)/ nocase
    condition:
        $header in (0..1024) and $file and $name
}

rule Pdf_Asks_Foreign_Computer
{
    meta:
        title = "PDF that opens a file of another computer, which hands over the user's credentials"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "CVE-2018-4993; ISO 32000-1, 12.6.4.3 and 12.6.4.4; MITRE ATT&CK T1187"
    strings:
        $header = "%PDF-"
        $remote = /\/(GoToR|GoToE|Launch|ImportData|SubmitForm|Thread)[^a-z]/ nocase
        $file = /\/F[ \t\r\n]{0,8}\([ ]{0,4}\\\\\\\\[a-z0-9][^)]{1,200}/ nocase
    condition:
        $header in (0..1024) and all of them
}

rule Pdf_Escapes_Names
{
    meta:
        title = "PDF that spells the name of an action with escapes, to be overlooked"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "ISO 32000-1, 7.3.5 (names); MITRE ATT&CK T1027"
    strings:
        $header = "%PDF-"
        $script = /\/(J|#4a)(a|#61)(v|#76)(a|#61)(S|#53)(c|#63)(r|#72)(i|#69)(p|#70)(t|#74)[^a-z#]/ nocase
        $script_plain = /\/JavaScript[^a-z#]/ nocase
        $launch = /\/(L|#4c)(a|#61)(u|#75)(n|#6e)(c|#63)(h|#68)[^a-z#]/ nocase
        $launch_plain = /\/Launch[^a-z#]/ nocase
        $open = /\/(O|#4f)(p|#70)(e|#65)(n|#6e)(A|#41)(c|#63)(t|#74)(i|#69)(o|#6f)(n|#6e)[^a-z#]/ nocase
        $open_plain = /\/OpenAction[^a-z#]/ nocase
    condition:
        $header in (0..1024)
        and (#script > #script_plain or #launch > #launch_plain or #open > #open_plain)
}
