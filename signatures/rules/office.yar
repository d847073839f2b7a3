// Office documents. Modules of macros and parts of packages reach the rules unpacked, as layers from libclamav: a rule for
// word/_rels/settings.xml.rels reads that part, not the ZIP around it.

rule Office_Macro_Starts_By_Itself_And_Runs_Program
{
    meta:
        title = "Macro that runs when the document opens and starts a program"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1137 and T1204.002; MS-OVBA 2.3.4.3"
    strings:
        $module = "Attribute VB_" nocase
        $open = /Sub[ \t]{1,8}(Auto_?(Open|Exec|Close|New)|Document_?(Open|Close|New|BeforeClose)|Workbook_(Open|Activate|BeforeClose)|[a-z0-9]{1,30}_(Layout|Painted|GotFocus|MouseMove|Resize|Connected))/ nocase
        $run = /([^a-z_.]Shell[ \t]{0,4}[("]|wscript\.shell|shell\.application|shellexecute|urldownloadtofile|winmgmts:|powershell|mshta|CreateProcess[AW]?[^a-z]|\.xmlhttp|winhttprequest|adodb\.stream|MacScript|StrReverse[ \t]{0,4}\()/ nocase
    condition:
        filesize < 16MB and $module and $open and $run
}

rule Office_Macro_Runs_Machine_Code
{
    meta:
        title = "Macro that puts machine code into memory and jumps to it"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1055 and T1059.005"
    strings:
        $module = "Attribute VB_" nocase
        $declare = /Declare[ \t]{1,4}(PtrSafe[ \t]{1,4})?(Function|Sub)[^\r\n]{1,80}Lib[ \t]{1,4}"(kernel32|ntdll)/ nocase
        $memory = /(VirtualAlloc(Ex)?|HeapCreate|NtAllocateVirtualMemory|VirtualProtect(Ex)?)[" \t(]/ nocase
        $copy = /(RtlMoveMemory|WriteProcessMemory|NtWriteVirtualMemory)[" \t(]/ nocase
        $jump = /(CreateThread|CreateRemoteThread|QueueUserAPC|CallWindowProc[AW]?|Enum(SystemLocales|Windows|ChildWindows|UILanguages|DateFormats)[AWEx]{0,3}|CreateTimerQueueTimer)[" \t(]/ nocase
    condition:
        filesize < 16MB and all of them
}

rule Office_Sheet_Macro_Runs_Program
{
    meta:
        title = "Excel 4 macro sheet that starts a program or calls a library"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059 and T1137; ECMA-376 18.3 (macro sheets); MS-XLSB"
    strings:
        $sheet = /<(xm:)?macrosheet[ >]/ nocase
        $call = /<f[^>]{0,60}>[^<]{0,200}(EXEC|CALL|REGISTER|FORMULA(\.FILL)?|FOPEN|FWRITE)[ ]{0,2}\(/ nocase
    condition:
        filesize < 32MB and all of them
}

rule Office_Hidden_Macro_Sheet
{
    meta:
        title = "Excel 97 workbook with a hidden macro sheet that starts by itself"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1564.007; MS-XLS 2.4.28 (BoundSheet8) and 2.4.150 (Lbl)"
    strings:
        // Record 0x85: position, state 1 or 2 (hidden, very hidden), type 1 (macro sheet).
        $sheet = { 85 00 (08 | 09 | 0? | 1? | 2?) 00 ?? ?? ?? ?? (01 | 02) 01 }
        // Record 0x18: built-in (0x20) name of one character, number 1 (Auto_Open).
        $auto = { 18 00 ?? 00 (20 | 21 | 22 | 23) 00 ?? 01 ?? 00 00 00 ?? 00 00 00 00 00 00 01 }
        $auto_name = { 18 00 ?? 00 ?? 00 ?? (09 | 0a | 0b | 0c | 0d | 0e | 0f) [6-11] (41 | 61) (55 | 75) (54 | 74) (4f | 6f) 5f (4f | 6f) }
        $begin = { 09 08 10 00 00 06 05 00 }
    condition:
        filesize < 64MB and (uint32be(0) == 0x09081000 or uint32be(0) == 0xd0cf11e0)
        and $begin and $sheet and any of ($auto, $auto_name)
}

rule Office_Template_From_Network
{
    meta:
        title = "Document that takes its template, frame or picture of an object from the network"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1221; ECMA-376 part 2, 9.3 (TargetMode External); CVE-2017-0199, CVE-2022-30190"
    strings:
        $relations = "<Relationship" nocase
        $type_first = /<Relationship[ ][^>]{0,200}\/relationships\/(attachedTemplate|oleObject|frame|subDocument|aFChunk|externalLinkPath\/xlPathMissing)["'][^>]{0,400}Target[ ]{0,2}=[ ]{0,2}["'](https?:|ftp:|mhtml:|\\\\|file:\/\/[^\/]|file:\\\\\\\\)/ nocase
        $target_first = /<Relationship[ ][^>]{0,200}Target[ ]{0,2}=[ ]{0,2}["'](https?:|ftp:|mhtml:|\\\\|file:\/\/[^\/])[^>]{0,600}\/relationships\/(attachedTemplate|oleObject|frame|subDocument|aFChunk)["']/ nocase
    condition:
        filesize < 4MB and $relations and any of ($type_first, $target_first)
}

rule Office_Field_Runs_Command
{
    meta:
        title = "DDE field or link that starts a program"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "MITRE ATT&CK T1559.002; ECMA-376 17.16.5.15; Microsoft Advisory 4053440"
    strings:
        // The letters may stand in several runs of text.
        $field = /instr(Text[^>]{0,60}>|=["'])[ ]{0,20}D(<[^<>]{1,120}>[ ]{0,4}){0,12}D(<[^<>]{1,120}>[ ]{0,4}){0,12}E/ nocase
        $link = /<ddeLink[^>]{0,200}ddeService="(cmd|powershell|mshta|rundll32|regsvr32|msexcel|wscript)/ nocase
        $binary = /\x13[ ]{0,10}"?DDE(AUTO)?[ ]{1,20}[^\x00\x14\x15]{0,80}(cmd|powershell|mshta|system32)/ nocase ascii wide
        $program = /(cmd|powershell|mshta|system32|rundll32|regsvr32|wscript)/ nocase ascii wide
    condition:
        filesize < 64MB and ($link or $binary or ($field and $program))
}

rule Office_Text_Table_Runs_Command
{
    meta:
        title = "Text table (CSV) with a cell that starts a program"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "OWASP, CSV Injection; MITRE ATT&CK T1559.002"
    strings:
        $cell = /(^|[\r\n,;\t])[ ]{0,8}"?[ ]{0,4}[=+@-][^\r\n,;]{0,60}(cmd|powershell|mshta|rundll32|regsvr32|msexcel)(\.exe)?\|[ ]{0,4}["']{1,3}[^\r\n]{0,300}![a-z_0-9"']{1,10}/ nocase
    condition:
        filesize < 64MB and uint16(0) != 0x4b50 and uint32be(0) != 0x3c3f786d and $cell
}

rule Office_Package_Holds_Program
{
    meta:
        title = "Package object in a document: a program or script that one click starts"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002; MS-OLEDS 2.3.6 (OLENativeStream)"
    strings:
        // Length, 0x0002, label, path.
        $native = /\x02\x00[^\x00-\x1f]{1,120}\.(exe|scr|com|pif|bat|cmd|lnk|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl|jar|dll|url|settingcontent-ms|library-ms)\x00[^\x00-\x1f]{1,250}\x00\x00\x00\x03\x00/ nocase
        $stream = { 01 00 4f 00 6c 00 65 00 31 00 30 00 4e 00 61 00 74 00 69 00 76 00 65 00 }
    condition:
        // The stream itself, or the compound file (MS-CFB) that holds it.
        (uint16(4) == 2 and $native in (4..6)) or (uint32be(0) == 0xd0cf11e0 and $stream and $native)
}

rule Office_Equation_Overflows
{
    meta:
        title = "Equation whose font name overflows the old equation editor"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "CVE-2017-11882, CVE-2018-0802; MTEF 3, FONT record"
    strings:
        // EQNOLEFILEHDR of 28 bytes, MTEF header of 5, a FONT record (8, face, style) whose name does not end.
        $equation = /\x1c\x00\x00\x00\x02\x00.{22}\x03.{4}[\x00-\x0e]{0,4}\x08.{2}[^\x00]{40}/s
    condition:
        filesize < 64MB and $equation
}
