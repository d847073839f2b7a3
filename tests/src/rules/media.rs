//! What starts by itself, what is not what it seems, what pretends to be a keyboard, boot code, test patterns.

use super::{Found, Near, picture, program, text, wide};
use crate::bytes::Put;
use crate::samples::eicar;
use crate::zip::Zip;

/// A ZIP with one small file of that name.
fn zip(name: &str) -> Vec<u8> {
    Zip::new().stored(&name.replace('¦', ""), b"nothing").finish()
}

fn boot_sector(code: &[u8]) -> Vec<u8> {
    let mut sector = code.to_vec();
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector
}

/// A disc's descriptor (ECMA-119 8.4) with `files`, each at a sector of its own, behind it.
fn disc(files: &[&[u8]]) -> Vec<u8> {
    let mut disc = vec![0; 0x8000];
    disc.raw(b"\x01CD001\x01").align(0x9000);
    for file in files {
        disc.raw(file).align(2048);
    }
    disc
}

fn inject(keys: &[u8]) -> Vec<u8> {
    // GUI and r, a pause of 255, then the keys without modifiers.
    let mut file = vec![0x15, 0x08, 0x00, 0xff];
    keys.iter().for_each(|key| file.extend([*key, 0]));
    file
}

fn version_information(name: &str) -> Vec<u8> {
    program(&[wide("OriginalFilename"), vec![0; 4], wide(name), vec![0; 2]].concat())
}

pub(super) fn bad() -> Vec<Found> {
    let note = "All your files have been encr¦ypted!\nPay 1 bit¦coin. Do not rename them. Write to help@onion¦mail.example.invalid";
    let shortcut =
        [&[0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46][..], &wide("power¦shell.exe")]
            .concat();
    vec![
        ("Blanche_Test_Eicar", eicar()),
        ("Blanche_Test_Marker", text("BLANCHE-TEST-MARKER-¦ADE4F27C0B61")),
        ("Autorun_Starts_Program", text("[Auto¦Run]\r\nicon=a.ico\r\nOpen = tools\\setup.exe /q\r\n")),
        ("Autorun_Starts_Program", wide("\u{feff}[auto¦run]\r\nshell\\open\\command=a.bat\r\n")),
        (
            "Autorun_From_Recycler",
            text("[auto¦run]\r\naction=x\r\nshellexecute=RECYC¦LER\\S-1-5-21\\jwgkvsq.vmx,x\r\n"),
        ),
        (
            "Autorun_Disguised_As_Folder",
            text(
                "[auto¦run]\r\naction=Open fol¦der to view files\r\nicon=%systemroot%\\system32\\she¦ll32.dll,4\r\nopen=a\r\n",
            ),
        ),
        ("Autorun_Runs_Interpreter", text("[auto¦run]\r\nopen=rund¦ll32 a,b\r\n")),
        ("Folder_Settings_Ask_Network", text("[.Shell¦ClassInfo]\r\nIconRes¦ource=\\\\host.example.invalid\\a,0\r\n")),
        ("Disguise_Program_In_Picture", picture(&program(b""))),
        // Behind the beginning of a program that is none.
        ("Disguise_Program_In_Picture", picture(&[&program(b"")[..0x80], &[0; 2048], &program(b"")].concat())),
        ("Disguise_Program_In_Document", [b"%PDF-1.4\n".to_vec(), program(b"")].concat()),
        ("Disguise_Html_Application_In_Picture", picture(&text("<hta:appli¦cation id=a><script></script>"))),
        ("Disguise_Archive_Behind_Picture", [picture(&[0x5a; 400]), b"\xff\xd9".to_vec(), zip("letter.txt")].concat()),
        ("Disguise_Right_To_Left_Name_In_Archive", zip("annexe_\u{202e}fd¦p.ex¦e")),
        ("Disguise_Double_Extension_In_Archive", zip("invoice.pd¦f.e¦xe")),
        ("Disguise_Double_Extension_In_Archive", zip("invoice                                  .sc¦r")),
        ("Disguise_Program_Named_Like_Document", version_information("letter.do¦cx.ex¦e")),
        ("Disguise_Silent_Selfextractor", program(&text("\r\nPath=%te¦mp%\r\nSil¦ent=1\r\nSet¦up=a.vbs\r\n"))),
        ("Image_Holds_Shortcut_And_Program", disc(&[&shortcut, &program(b"")])),
        ("Image_In_Archive", zip("letter.i¦so")),
        ("Keystrokes_Script", text("DEL¦AY 500\nGU¦I r\nDELAY 200\nSTR¦ING power¦shell\nEN¦TER\n")),
        (
            "Keystrokes_Firmware_Source",
            text(
                "#include \"Digi¦Keyboard.h\"\nvoid setup() { send(KEY_R, MOD_GUI_¦LEFT); DigiKeyboard.pri¦nt(\"cmd\"); }",
            ),
        ),
        ("Keystrokes_Compiled", inject(&[0x13, 0x12, 0x1a, 0x08, 0x15, 0x16, 0x0b, 0x08, 0x0f, 0x0f, 0x28])),
        ("Ransom_Note", text(note)),
        ("Ransom_Note", wide(note)),
        ("Ransom_Note", text("Vos fichiers sont chif¦frés. Ne renommez rien. Pay¦ment en bitcoin : aide@pro¦ton.me")),
        (
            "Ransom_Deletes_Backups",
            text("vssad¦min delete shad¦ows /all\r\nbcded¦it /set {default} recovery¦enabled no\r\n"),
        ),
        ("Boot_Code_Hides_In_Memory", boot_sector(&[0xfa, 0xff, 0x0e, 0x13, 0x04, 0x90, 0xa3, 0x4c, 0x00])),
        ("Boot_Code_Demands_Ransom", boot_sector(&text("Your disk was encr¦ypted. Send bit¦coin to get it back."))),
    ]
}

pub(super) fn good() -> Vec<Near> {
    let autorun =
        &["Autorun_Starts_Program", "Autorun_From_Recycler", "Autorun_Disguised_As_Folder", "Autorun_Runs_Interpreter"];
    let pictures =
        &["Disguise_Program_In_Picture", "Disguise_Html_Application_In_Picture", "Disguise_Archive_Behind_Picture"];
    let archives =
        &["Disguise_Right_To_Left_Name_In_Archive", "Disguise_Double_Extension_In_Archive", "Image_In_Archive"];
    let programs =
        &["Disguise_Program_Named_Like_Document", "Disguise_Silent_Selfextractor", "Disguise_Program_In_Document"];
    let ransom = &["Ransom_Note", "Ransom_Deletes_Backups"];
    let boot = &["Boot_Code_Hides_In_Memory", "Boot_Code_Demands_Ransom"];
    let keyboard = &["Keystrokes_Script", "Keystrokes_Firmware_Source"];
    let many = (0..9).fold(Zip::new(), |zip, number| zip.stored(&format!("{number}.iso.txt"), b"nothing"));
    vec![
        (&["Blanche_Test_Eicar", "Blanche_Test_Marker"], eicar()[..60].to_vec()),
        (&["Blanche_Test_Eicar", "Blanche_Test_Marker"], text("BLANCHE-TEST-MARKER-0\n")),
        (autorun, text("[autorun]\r\nicon=key.ico\r\nlabel=My photos\r\naction=Show my files\r\n")),
        (
            autorun,
            text("Open = the shop opens at nine. See setup.exe, [autorun] and RECYCLER\\a.exe on the server.\r\n"),
        ),
        (
            &["Folder_Settings_Ask_Network"],
            text("[.ShellClassInfo]\r\nIconResource=C:\\Windows\\System32\\shell32.dll,4\r\n"),
        ),
        (&["Folder_Settings_Ask_Network"], text("[ViewState]\r\nMode=\r\nLogo=\\\\server\\share\\logo.png\r\n")),
        (pictures, picture(&[0x5a; 4000])),
        (
            pictures,
            picture(&text("comment: This program cannot be run in DOS mode, <script> and PK\x03\x04 \u{7f}\u{d9}")),
        ),
        (archives, Zip::new().stored("report.v1.2.pdf", b"a").stored("שלום\u{200f}.txt", b"b").finish()),
        (archives, many.stored("setup-1.0.exe", b"nothing").finish()),
        (programs, version_information("letter.exe")),
        (programs, program(b"\r\nPath=files\r\nSetup=setup.exe\r\n")),
        (&["Disguise_Program_In_Document"], text("%PDF-1.4\n1 0 obj (This program cannot be run in DOS mode) endobj")),
        (&["Image_Holds_Shortcut_And_Program"], disc(&[b"letter", b"photo"])),
        (&["Image_Holds_Shortcut_And_Program"], disc(&[&program(b""), b"readme powershell.exe"])),
        (keyboard, text("DELAY of the train: 500 minutes.\nGUI r is short for window.\nSTRING theory\nENTER here\n")),
        (keyboard, text("#include <Keyboard.h>\nvoid loop() { Keyboard.print(\"volume up\"); }\n")),
        (&["Keystrokes_Compiled"], inject(&[0x0b, 0x08, 0x0f, 0x0f, 0x12, 0x28])),
        (&["Keystrokes_Compiled"], wide("powershell cmd")),
        (
            ransom,
            text(
                "Our backups are encrypted. The private key is in the safe; payment by card, write to us@example.invalid.\n",
            ),
        ),
        (ransom, text("vssadmin list shadows\r\nbcdedit /enum\r\nwbadmin get versions\r\n")),
        (
            boot,
            boot_sector(&text(
                "\u{1}Missing operating system. Error loading operating system. Disk is locked by its owner",
            )),
        ),
        (boot, boot_sector(&[0xfa, 0x33, 0xc0, 0xa1, 0x13, 0x04, 0xcd, 0x13])),
    ]
}
