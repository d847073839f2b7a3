// Office macros. The modules of a document reach the rules as text, because libclamav hands over what it unpacks; in the
// document itself they are compressed (MS-OVBA 2.4.1) and these rules stay silent.

rule Office_Macro_Starts_By_Itself_And_Runs_Program
{
    meta:
        title = "Macro that runs when the document opens and starts a program"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1137 and T1204.002; MS-OVBA 2.3.4.3"
    strings:
        $module = "Attribute VB_"
        $open1 = "Sub AutoOpen" nocase
        $open2 = "Sub Auto_Open" nocase
        $open3 = "Sub Document_Open" nocase
        $open4 = "Sub Workbook_Open" nocase
        $open5 = "Sub AutoExec" nocase
        $open6 = "Sub AutoClose" nocase
        $open7 = "Sub Document_Close" nocase
        $run1 = /[^a-z_]Shell[ \t]{0,4}[("]/ nocase
        $run2 = "wscript.shell" nocase
        $run3 = "shell.application" nocase
        $run4 = "shellexecute" nocase
        $run5 = "urldownloadtofile" nocase
        $run6 = "winmgmts:" nocase
        $run7 = "powershell" nocase
    condition:
        filesize < 8MB and $module and any of ($open*) and any of ($run*)
}
