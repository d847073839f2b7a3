// Scripts that fetch a program and start it, or hide what they do. Interpreters ignore case, PowerShell ignores "`" and cmd
// ignores "^" in words: those are allowed between letters of the commands that are hidden most.

rule Script_PowerShell_Downloader
{
    meta:
        title = "PowerShell that fetches code and runs it"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.001 and T1105"
    strings:
        // Fetched and run in one statement.
        $run_fetched = /(i`?e`?x|i`?n`?v`?o`?k`?e`?-`?e`?x`?p`?r`?e`?s`?s`?i`?o`?n)[ \t]{0,8}(-command[ \t]{1,4})?[(&"'$@{][^\r\n]{0,160}(d`?o`?w`?n`?l`?o`?a`?d`?s`?t`?r`?i`?n`?g|downloaddata|invoke-webrequest|invoke-restmethod|i`?w`?r[ \t]|i`?r`?m[ \t]|wget[ \t]|curl[ \t])/ nocase ascii wide
        $fetched_run = /(d`?o`?w`?n`?l`?o`?a`?d`?s`?t`?r`?i`?n`?g|invoke-webrequest|invoke-restmethod|i`?w`?r[ \t]|i`?r`?m[ \t]|wget[ \t]|curl[ \t])[^\r\n]{1,240}\|[ \t]{0,8}[&.]?[ \t("']{0,8}(i`?e`?x|i`?n`?v`?o`?k`?e`?-`?e`?x`?p`?r`?e`?s`?s`?i`?o`?n)/ nocase ascii wide
        // Fetched into a variable or file, run in another line.
        $fetch = /(\.d`?o`?w`?n`?l`?o`?a`?d`?(s`?t`?r`?i`?n`?g|f`?i`?l`?e|d`?a`?t`?a)`?["']?[ ]{0,4}\(|(invoke-webrequest|invoke-restmethod|start-bitstransfer)[ \t])/ nocase ascii wide
        $run = /[\r\n;|&{(=][ \t]{0,40}(invoke-expression|iex)[ \t("']{1,8}[$(]/ nocase ascii wide
        $pipe = /\|[ \t]{0,8}(invoke-expression|iex)[ \t]{0,8}[\r\n;)}"']/ nocase ascii wide
        $start = /[\r\n;|&{(][ \t]{0,40}(start-process|saps|invoke-item|ii|start)[ \t]{1,8}(-filepath[ \t]{1,8})?["']?(\$|%)(env:(temp|tmp|appdata|localappdata|public|programdata|userprofile)|[a-z_]{1,40}["']?[ \t]{0,8}(-windowstyle|-w|-verb|[\r\n;}]))/ nocase ascii wide
        $load = /reflection\.assembly\]::(load|unsafeloadfrom)[ \t(]/ nocase ascii wide
        // A document about commands: a line in a fence or an indented literal block is quoted, not run, and so is all of a page. Marks
        // in a comment of a script are no marks.
        $quoted = /([\r\n][ \t]{0,8}(```|~~~)|[\r\n][ \t]{0,8}[^# \t\r\n][^\r\n]{0,200}::[ \t]{0,4}\r?\n|[\r\n][ \t]{0,8}\.\. code)/ nocase
        $page = /<(!doctype html|html)[ >]/ nocase
    condition:
        // Neither PE nor ELF nor compiled Python (PEP 552: flags below 4).
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and uint32(0) != 0x464c457f and not (uint16be(2) == 0x0d0a and uint32(4) < 4)
        and not $page at 0 and not ($page at 3 and uint8(0) == 0xef)
        and (
            for any i in (1..#run_fetched): (not $quoted in (@run_fetched[i] - 2000..@run_fetched[i]))
            or for any i in (1..#fetched_run): (not $quoted in (@fetched_run[i] - 2000..@fetched_run[i]))
            or (any of ($run, $pipe, $start, $load) and for any i in (1..#fetch): (not $quoted in (@fetch[i] - 2000..@fetch[i])))
        )
}

rule Script_PowerShell_Encoded_Command
{
    meta:
        title = "PowerShell that is given its commands in base64"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.010; Microsoft, about_PowerShell_exe, -EncodedCommand (UTF-16LE in base64)"
    strings:
        // Every other byte of the decoded text is zero: six bytes "c0c0c0" give eight characters of which five are few.
        $command = /(p\^?"?"?o\^?"?"?w\^?"?"?e\^?"?"?r\^?"?"?s\^?"?"?h\^?"?"?e\^?"?"?l\^?"?"?l|pwsh)[^\r\n]{0,200}[ "'\^][-\/]\^?e(c|n|nc|nco|ncod|ncode|ncoded|ncodedc|ncodedco|ncodedcom|ncodedcomm|ncodedcomma|ncodedcomman|ncodedcommand)?[ "'\^]{1,20}([a-z0-9+\/][AQgw][AB][a-z0-9+\/]A[A-H][AEIMQUYcgkosw048]A){2}/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and $command
}

rule Script_PowerShell_Decoded_Download
{
    meta:
        title = "Base64 in which PowerShell fetches code or runs text"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1027.010 and T1105"
    strings:
        // wide, then base64: the form of -EncodedCommand.
        $fetch1 = "\x2eDownloadString(" wide base64
        $fetch2 = "\x2edownloadstring(" wide base64
        $fetch3 = "\x2eDownloadFile(" wide base64
        $fetch4 = "\x2eDownloadData(" wide base64
        $fetch5 = "Invoke-WebRequest" wide base64
        $fetch6 = "Start-BitsTransfer" wide base64
        $run1 = "IEX" wide base64
        $run2 = "iex" wide base64
        $run3 = "Invoke-Expression" wide base64
        $run4 = "Start-Process" wide base64
        $run5 = "[Reflection.Assembly]" wide base64
        $call = "powershell" nocase ascii wide
    condition:
        filesize < 16MB and any of ($fetch*) and any of ($run*) and $call
}

rule Script_PowerShell_Disables_Defences
{
    meta:
        title = "PowerShell that switches off the antivirus or its view of scripts"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1562.001"
    strings:
        $field = /amsi(init|con)("|'|\s|\+)*(failed|text)("|'|\s|\)|,)/ nocase ascii wide
        $reflect = /getfield[ \t(]/ nocase ascii wide
        $set = /setvalue[ \t(]/ nocase ascii wide
        $scan = "AmsiScanBuffer" ascii wide
        $protect = "VirtualProtect" ascii wide
        $add = /Add-Type[ \t]|\[DllImport[ \t]{0,4}\(|GetDelegateForFunctionPointer[ \t(]/ nocase ascii wide
        $defender = /set-mppreference[^\r\n]{0,80}-disable(realtimemonitoring|behaviormonitoring|ioavprotection|scriptscanning)[ \t:]{1,4}(\$true|1)/ nocase ascii wide
        $exclude = /add-mppreference[^\r\n]{0,40}-exclusion(path|extension|process)[ \t]{1,4}["']?([a-z]:\\?["';\r\n ]|\.?exe|\$env:(temp|appdata|public|programdata|userprofile))/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550)
        and (($field and $reflect and $set) or ($scan and $protect and $add) or $defender or $exclude)
}

rule Script_Windows_Host_Dropper
{
    meta:
        title = "VBScript or JScript that fetches a file, saves it and runs it"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.005, T1059.007 and T1105"
    strings:
        $fetch = /(createobject|activexobject|getobject)[ \t]{0,4}\([ \t]{0,4}["'](msxml2\.(server)?xmlhttp|winhttp\.winhttprequest|microsoft\.xmlhttp)/ nocase ascii wide
        $stream = /(createobject|activexobject)[ \t]{0,4}\([ \t]{0,4}["']adodb\.stream/ nocase ascii wide
        $save = /\.savetofile[ \t(]/ nocase ascii wide
        $run = /(createobject|activexobject)[ \t]{0,4}\([ \t]{0,4}["'](wscript\.shell|shell\.application)/ nocase ascii wide
        $start = /\.(run|exec|shellexecute)[ \t(]/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and all of them
}

rule Script_Windows_Host_Runs_Interpreter
{
    meta:
        title = "VBScript, JScript or HTML application that starts a command interpreter out of sight"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.005, T1059.007 and T1564.003; Microsoft, WshShell.Run (window style 0)"
    strings:
        $object = /(createobject|activexobject)[ \t]{0,4}\([ \t]{0,4}["'](wscript\.shell|shell\.application)/ nocase ascii wide
        $run = /\.(run|exec|shellexecute)[ \t(]{1,4}["'][^\r\n]{0,60}(powershell|cmd(\.exe)?[" ]{1,3}\/[ckr]|mshta|rundll32|regsvr32|bitsadmin|certutil|msiexec)[^\r\n]{0,400}(,[ \t]{0,4}(0|vbhide)[ \t,)\r\n;]|-w[a-z]{0,10} (hidden|1|h)|https?:\/\/)/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and $object and $run
}

rule Script_Windows_Host_Obfuscated
{
    meta:
        title = "VBScript or JScript that puts its commands together from numbers or pieces and evaluates them"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.010, T1059.005 and T1059.007"
    strings:
        $vbs = /chrw?[ ]{0,2}\([ ]{0,2}[^)\r\n]{1,24}\)[ ]{0,4}[&+][ ]{0,4}chrw?[ ]{0,2}\(/ nocase ascii wide
        $vbs_run = /(^|[\r\n:])[ \t]{0,40}(execute|executeglobal|eval)[ \t(]{1,4}[a-z(]/ nocase ascii wide
        $js = /\\x[0-9a-f]{2}\\x[0-9a-f]{2}\\x[0-9a-f]{2}\\x[0-9a-f]{2}/ nocase ascii
        $js_codes = /fromcharcode[ ]{0,2}\(/ nocase ascii wide
        // Not a name in quotes: pages ask old browsers for XMLHTTP in that way.
        $js_host = /((new[ \t]{1,4}activexobject|wscript\.createobject)[ \t]{0,4}\([ \t]{0,4}[a-z_$(]|this\[["']activexobject|this\[["']wscript)/ nocase ascii wide
        $js_run = /(^|[^a-z0-9_.])eval[ ]{0,2}\(|new[ ]{1,4}function[ ]{0,2}\(/ nocase ascii wide
        $pieces = /(createobject|activexobject|getobject)[ \t]{0,4}\([ \t]{0,4}["'][a-z0-9.]{1,14}["'][ \t]{0,4}[&+][ \t]{0,4}["'][a-z0-9.]{1,14}["']/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550)
        and ((#vbs > 12 and $vbs_run) or ($js_host and $js_run and ($js_codes or #js > 12)) or #pieces > 1)
}

rule Script_Encoded
{
    meta:
        title = "Script in Microsoft's encoded form (.vbe, .jse, VBScript.Encode)"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.010; Microsoft, Script Encoder"
    strings:
        $start = /#@~\^[a-z0-9+\/]{6}==/ nocase ascii wide
        $end = /[a-z0-9+\/]{6}==\^#~@/ nocase ascii wide
    condition:
        filesize < 16MB and $start and $end
}

rule Script_Html_Application
{
    meta:
        title = "HTML application that starts programs"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1218.005; Microsoft, HTML Applications"
    strings:
        $application = /<hta:application/ nocase ascii wide
        $host = /(createobject|activexobject|getobject)[ \t]{0,4}\([ \t]{0,4}["'](wscript\.shell|shell\.application|winmgmts:|new:)/ nocase ascii wide
        $script = /<script/ nocase ascii wide
        $run = /\.(run|exec|shellexecute|create)[ \t(]/ nocase ascii wide
    condition:
        filesize < 16MB and all of them
}

rule Script_Html_Application_Unseen
{
    meta:
        title = "HTML application that runs a command and keeps itself out of sight"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1218.005 and T1564.003"
    strings:
        $script = /<script/ nocase ascii wide
        $host = /(createobject|activexobject)[ \t]{0,4}\([ \t]{0,4}["'](wscript\.shell|shell\.application)/ nocase ascii wide
        $interpreter = /\.(run|exec|shellexecute)[ \t(]{1,4}["'][^\r\n]{0,60}(powershell|cmd|mshta|rundll32|regsvr32|bitsadmin|certutil|msiexec)/ nocase ascii wide
        $unseen1 = /window\.(resizeto|moveto)[ (]{1,3}-?[0-9]{1,6}[ ]{0,2},[ ]{0,2}-?[0-9]{1,6}/ nocase ascii wide
        $unseen2 = /windowstate[ ]{0,2}=[ ]{0,2}["']?minimize/ nocase ascii wide
        $unseen3 = /showintaskbar[ ]{0,2}=[ ]{0,2}["']?no/ nocase ascii wide
        $close = /(window|self)\.close/ nocase ascii wide
    condition:
        filesize < 16MB and $script and $host and $interpreter and any of ($unseen*) and $close
}

rule Script_Batch_Downloader
{
    meta:
        title = "Batch file that fetches a program with Windows' own tools and starts it"
        author = "Blanche"
        version = "3"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1059.003 and T1105; LOLBAS certutil, bitsadmin, curl, mshta"
    strings:
        $batch = /(^|[\r\n])[ \t@]{0,8}(@?echo off|setlocal|rem |set "?[a-z_]{1,30}=|start |call |if |cd \/d|cls|%~dp0)/ nocase
        $certutil = /(^|[\r\n&|(])[ \t@"]{0,8}c\^?e\^?r\^?t\^?u\^?t\^?i\^?l\^?(\.exe)?"?[ \t][^\r\n]{0,80}[-\/]\^?u\^?r\^?l\^?c\^?a\^?c\^?h\^?e/ nocase
        $bitsadmin = /(^|[\r\n&|(])[ \t@"]{0,8}b\^?i\^?t\^?s\^?a\^?d\^?m\^?i\^?n\^?(\.exe)?"?[ \t][^\r\n]{0,80}\/\^?t\^?r\^?a\^?n\^?s\^?f\^?e\^?r/ nocase
        $curl = /(^|[\r\n&|(])[ \t@"]{0,8}c\^?u\^?r\^?l(\.exe)?"?[ \t][^\r\n]{0,200}[ \t](-o|--output)[ \t]{1,4}"?[^ \r\n]{0,120}\.(exe|dll|bat|cmd|vbs|js|ps1|msi|scr|hta)/ nocase
        $mshta = /(^|[\r\n&|(])[ \t@"]{0,8}m\^?s\^?h\^?t\^?a(\.exe)?"?[ \t]{1,4}["']?(https?:|vbscript:|javascript:)/ nocase
        $powershell = /(^|[\r\n&|(])[ \t@"]{0,8}(start[ \t]{1,4}(\/[a-z]{1,4}[ \t]{1,4}){0,2})?p\^?o\^?w\^?e\^?r\^?s\^?h\^?e\^?l\^?l(\.exe)?"?[ \t][^\r\n]{0,200}(downloadfile|downloadstring|iwr |irm |invoke-webrequest|start-bitstransfer)/ nocase
        $start = /([\r\n&|(]|\bdo )[ \t@]{0,8}(start|call)[ \t]{1,4}("[^"\r\n]{0,40}"[ \t]{1,4})?(\/[a-z]{1,8}[ \t]{1,4}){0,3}["%a-z\\.]/ nocase
        $direct = /[\r\n&|(][ \t@]{0,8}"?(%temp%|%tmp%|%appdata%|%localappdata%|%public%|%programdata%|%userprofile%)\\[^\r\n]{1,100}\.(exe|scr|com|bat|cmd|vbs|js|msi|hta)/ nocase
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and uint32(0) != 0x464c457f and $batch
        and ($mshta or (any of ($certutil, $bitsadmin, $curl, $powershell) and any of ($start, $direct)))
}

rule Script_Batch_Obfuscated
{
    meta:
        title = "Batch file that spells its commands with pieces of variables"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.010; Bohannon, DOSfuscation (2018)"
    strings:
        $piece = /%[^%\r\n:]{1,60}:~[ ]{0,2}-?[0-9]{1,4}[ ]{0,2},[ ]{0,2}1%/ ascii wide
        $caret1 = /p\^o\^w\^e\^r\^s\^h\^e\^l\^l/ nocase ascii wide
        $caret2 = /c\^e\^r\^t\^u\^t\^i\^l/ nocase ascii wide
        $caret3 = /b\^i\^t\^s\^a\^d\^m\^i\^n/ nocase ascii wide
        $caret4 = /m\^s\^h\^t\^a/ nocase ascii wide
        $caret5 = /r\^u\^n\^d\^l\^l/ nocase ascii wide
        $caret6 = /w\^s\^c\^r\^i\^p\^t/ nocase ascii wide
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and (#piece > 30 or any of ($caret*))
}

rule Script_Copies_Itself_To_Media
{
    meta:
        title = "Script that copies itself to other drives and leaves something there that starts it"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1091; Microsoft Security Intelligence, Worm:VBS/Jenxcus and Worm:BAT"
    strings:
        // VBScript and JScript: every removable drive, its own file, and a shortcut or autorun.inf.
        $drives = /\.drivetype[ \t]{0,4}={1,3}[ \t]{0,4}1|for each [a-z_0-9]{1,20} in [a-z_0-9.]{1,30}\.drives|new enumerator[ ]{0,2}\([^)]{1,30}\.drives/ nocase ascii wide
        $self = /(copyfile|\.copy)[ \t(]{1,4}wscript\.scriptfullname|getfile[ \t(]{1,4}wscript\.scriptfullname/ nocase ascii wide
        $leave = /(autorun\.inf|createshortcut[ \t(])/ nocase ascii wide
        $hide = /\.attributes[ \t]{0,4}=[ \t]{0,4}(2|3|4|6|7|34|38|39)|autorun\.inf/ nocase ascii wide
        // Batch: its own file (%0) to drives in a loop.
        $loop = /for %%[a-z] in[ \t]{0,4}\([ \t]{0,4}[c-z]:?[ \t,][^)\r\n]{1,120}\)/ nocase
        $copy = /(copy|xcopy)[ \t]{1,4}(\/[a-z][ \t]{1,4}){0,4}"?%(~[a-z]{0,6})?0"?[ \t]{1,4}"?%%[a-z]/ nocase
        $inf = "autorun.inf" nocase
    condition:
        filesize < 16MB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and (($drives and $self and $leave and $hide) or ($loop and $copy and $inf))
}

rule Script_Desktop_Entry_Downloads
{
    meta:
        title = "Linux desktop entry that runs what it fetches or decodes"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002 and T1059.004; freedesktop.org, Desktop Entry Specification"
    strings:
        $entry = /(^|\n)\[Desktop Entry\]/
        $fetch = /\nExec[ \t]{0,4}=[^\r\n]{0,120}(sh|bash|dash|python3?|perl)["' \t]{1,4}-c[^\r\n]{0,400}(curl |wget |base64 (-d|--decode)|xxd -r|\/dev\/tcp\/)/
        $document = /\nExec[ \t]{0,4}=[^\r\n]{0,400}(xdg-open|gio open|evince|libreoffice)[^\r\n]{0,200}(;|&)[^\r\n]{0,200}(chmod \+x|nohup|\/tmp\/|\.\/)/
    condition:
        filesize < 16MB and $entry and any of ($fetch, $document)
}
