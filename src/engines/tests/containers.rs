//! Containers made by the tools that people use: EICAR in each is found, or the container is *not checked*; never
//! clean.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop and say where"
)]

mod station;

use blanche_engines::selftest::eicar;
use blanche_sandbox::wire::{Cause, Container, Scanned};
use station::{Matcher, Station, causes, folder, looks_clean, malicious, run};
use std::fs;
use std::path::Path;

/// How one container is made of `eicar.com` in the current folder, and what must come of it.
struct Recipe {
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    expected: Expected,
}

enum Expected {
    Found,
    Cause(Cause),
}
use Expected::{Cause as Because, Found};

const fn recipe(
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    expected: Expected,
) -> Recipe {
    Recipe { name, program, arguments, expected }
}

const fn unsupported(container: Container) -> Expected {
    Because(Cause::ContainerUnsupported(container))
}

const RECIPES: &[Recipe] = &[
    recipe("stored.zip", "zip", &["-0", "stored.zip", "eicar.com"], Found),
    recipe("deflated.zip", "zip", &["-9", "deflated.zip", "padded.com"], Found),
    recipe("bzip2.zip", "7z", &["a", "-mm=BZip2", "bzip2.zip", "padded.com"], Found),
    recipe("deflate64.zip", "7z", &["a", "-mm=Deflate64", "deflate64.zip", "padded.com"], Found),
    recipe("lzma.zip", "7z", &["a", "-mm=LZMA", "lzma.zip", "padded.com"], unsupported(Container::Zip)),
    recipe("ppmd.zip", "7z", &["a", "-mm=PPMd", "ppmd.zip", "padded.com"], unsupported(Container::Zip)),
    recipe("lzma2.7z", "7z", &["a", "lzma2.7z", "padded.com"], Found),
    recipe("lzma.7z", "7z", &["a", "-m0=LZMA", "lzma.7z", "padded.com"], Found),
    recipe("copy.7z", "7z", &["a", "-m0=Copy", "copy.7z", "padded.com"], Found),
    recipe("bzip2.7z", "7z", &["a", "-m0=BZip2", "bzip2.7z", "padded.com"], unsupported(Container::SevenZip)),
    recipe("deflate.7z", "7z", &["a", "-m0=Deflate", "deflate.7z", "padded.com"], unsupported(Container::SevenZip)),
    recipe("gnu.tar", "tar", &["cf", "gnu.tar", "eicar.com"], Found),
    recipe("v7.tar", "tar", &["--format=v7", "-cf", "v7.tar", "eicar.com"], Found),
    recipe("pax.tar", "tar", &["--format=pax", "-cf", "pax.tar", "eicar.com"], Found),
    recipe("a.tar.gz", "tar", &["czf", "a.tar.gz", "eicar.com"], Found),
    recipe("a.tar.bz2", "tar", &["cjf", "a.tar.bz2", "eicar.com"], Found),
    recipe("a.tar.xz", "tar", &["cJf", "a.tar.xz", "eicar.com"], Found),
    recipe("a.tar.zst", "tar", &["--zstd", "-cf", "a.tar.zst", "eicar.com"], unsupported(Container::Zstd)),
    recipe("eicar.com.gz", "gzip", &["-k", "eicar.com"], Found),
    recipe("eicar.com.bz2", "bzip2", &["-k", "eicar.com"], Found),
    recipe("eicar.com.xz", "xz", &["-k", "eicar.com"], Found),
    recipe("eicar.com.lzma", "xz", &["-k", "--format=lzma", "eicar.com"], unsupported(Container::LzmaAlone)),
    recipe("eicar.com.zst", "zstd", &["-q", "eicar.com"], unsupported(Container::Zstd)),
    recipe("eicar.com.lz4", "lz4", &["-q", "eicar.com", "eicar.com.lz4"], unsupported(Container::Lz4)),
    recipe("legacy.lz4", "lz4", &["-q", "-l", "eicar.com", "legacy.lz4"], unsupported(Container::Lz4)),
    recipe("eicar.com.br", "brotli", &["-k", "eicar.com"], unsupported(Container::Brotli)),
    recipe("a.cab", "gcab", &["-c", "a.cab", "eicar.com"], Found),
    recipe("zip.cab", "gcab", &["-c", "-z", "zip.cab", "padded.com"], Found),
    recipe("a.arj", "arj", &["a", "a.arj", "padded.com"], Found),
    recipe("a.wim", "wimlib-imagex", &["capture", "tree", "a.wim"], unsupported(Container::Wim)),
    recipe("a.squashfs", "mksquashfs", &["tree", "a.squashfs", "-quiet"], unsupported(Container::SquashFs)),
    recipe("a.iso", "genisoimage", &["-quiet", "-o", "a.iso", "tree"], Found),
    recipe("joliet.iso", "xorriso", &["-as", "mkisofs", "-quiet", "-J", "-r", "-o", "joliet.iso", "tree"], Found),
    recipe("a.udf", "genisoimage", &["-quiet", "-udf", "-o", "a.udf", "tree"], unsupported(Container::Udf)),
    recipe("a.qcow2", "qemu-img", &["convert", "-O", "qcow2", "disk.img", "a.qcow2"], unsupported(Container::Qcow2)),
    recipe("a.vmdk", "qemu-img", &["convert", "-O", "vmdk", "disk.img", "a.vmdk"], unsupported(Container::Vmdk)),
    recipe("a.vdi", "qemu-img", &["convert", "-O", "vdi", "disk.img", "a.vdi"], unsupported(Container::Vdi)),
    recipe("a.vhd", "qemu-img", &["convert", "-O", "vpc", "disk.img", "a.vhd"], unsupported(Container::Vhd)),
    recipe(
        "fixed.vhd",
        "qemu-img",
        &["convert", "-O", "vpc", "-o", "subformat=fixed", "disk.img", "fixed.vhd"],
        unsupported(Container::RawDisk),
    ),
    recipe("a.vhdx", "qemu-img", &["convert", "-O", "vhdx", "disk.img", "a.vhdx"], unsupported(Container::Vhdx)),
    recipe(
        "a.hdd",
        "qemu-img",
        &["convert", "-O", "parallels", "disk.img", "a.hdd"],
        unsupported(Container::VirtualDisk),
    ),
    recipe("a.ar", "ar", &["rc", "a.ar", "eicar.com"], unsupported(Container::Ar)),
    recipe(
        "password.zip",
        "zip",
        &["-P", "secret", "password.zip", "eicar.com"],
        Because(Cause::Encrypted(Container::Zip)),
    ),
    recipe(
        "aes.zip",
        "7z",
        &["a", "-psecret", "-mem=AES256", "aes.zip", "eicar.com"],
        Because(Cause::Encrypted(Container::Zip)),
    ),
    recipe(
        "password.7z",
        "7z",
        &["a", "-psecret", "password.7z", "eicar.com"],
        Because(Cause::Encrypted(Container::SevenZip)),
    ),
    recipe(
        "headers.7z",
        "7z",
        &["a", "-psecret", "-mhe=on", "headers.7z", "eicar.com"],
        Because(Cause::Encrypted(Container::SevenZip)),
    ),
];

/// A folder with EICAR as it is, EICAR in front of compressible text, a tree, and a FAT image.
fn ingredients(folder: &Path) {
    fs::write(folder.join("eicar.com"), eicar()).unwrap();
    let mut padded = eicar();
    padded.extend(b"and then a text that repeats itself, ".repeat(200));
    fs::write(folder.join("padded.com"), padded).unwrap();
    fs::create_dir(folder.join("tree")).unwrap();
    fs::write(folder.join("tree/eicar.com"), eicar()).unwrap();
    run(folder, "mkfs.vfat", &["-C", "disk.img", "1440"]);
    run(folder, "mcopy", &["-i", "disk.img", "eicar.com", "::"]);
}

fn extension(name: &str) -> &str {
    name.rsplit('.').next().unwrap()
}

fn judge(recipe: &Recipe, scanned: &Scanned) -> Result<(), String> {
    let seen =
        || format!("{}: {:?}, {:?}, {:?}", recipe.name, scanned.findings, scanned.not_checked, scanned.content_type);
    if looks_clean(scanned) {
        return Err(format!("CLEAN {}", seen()));
    }
    let kept = match &recipe.expected {
        Found => {
            malicious(scanned).iter().any(|finding| finding.engine == "clamav" && !finding.layer.is_empty())
                && causes(scanned).is_empty()
        }
        Because(cause) => causes(scanned).contains(cause),
    };
    if kept { Ok(()) } else { Err(seen()) }
}

#[test]
fn a_container_of_a_real_tool_is_opened_or_not_checked() {
    let folder = folder();
    ingredients(folder.path());
    let matcher = Station::armed().matcher();
    let mut failures = Vec::new();
    for recipe in RECIPES {
        run(folder.path(), recipe.program, recipe.arguments);
        let bytes = fs::read(folder.path().join(recipe.name)).unwrap();
        failures.extend(judge(recipe, &matcher.scan(&bytes, extension(recipe.name))).err());
        // The same without its name, and in a zip: layers are looked at in the same way.
        let (zip, inner) = (format!("{}.outer.zip", recipe.name), recipe.name);
        run(folder.path(), "zip", &["-q", &zip, inner]);
        let bytes = fs::read(folder.path().join(&zip)).unwrap();
        failures.extend(judge(recipe, &matcher.scan(&bytes, "zip")).err().map(|text| format!("in a zip: {text}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_raw_disk_image_is_not_checked() {
    let folder = folder();
    ingredients(folder.path());
    let scanned = Station::armed().matcher().scan(&fs::read(folder.path().join("disk.img")).unwrap(), "img");
    assert!(causes(&scanned).contains(&Cause::ContainerUnsupported(Container::RawDisk)), "{scanned:?}");
}

#[test]
fn a_matcher_that_nobody_armed_opens_nothing() {
    let folder = folder();
    ingredients(folder.path());
    run(folder.path(), "zip", &["-q", "a.zip", "padded.com"]);
    let scanned = Station::eicar().matcher().scan(&fs::read(folder.path().join("a.zip")).unwrap(), "zip");
    assert!(causes(&scanned).contains(&Cause::ContainerUnsupported(Container::Zip)), "{scanned:?}");
}

/// Two gzip, bzip2 and xz streams in one file unpack as one; libclamav reads on only in gzip.
#[test]
fn a_second_stream_in_a_file_is_not_passed_over() {
    let matcher = Station::armed().matcher();
    let folder = folder();
    fs::write(folder.path().join("first"), b"a harmless first part\n").unwrap();
    fs::write(folder.path().join("second"), eicar()).unwrap();
    for (program, extension) in [("gzip", "gz"), ("bzip2", "bz2"), ("xz", "xz")] {
        run(folder.path(), program, &["-k", "first", "second"]);
        let mut bytes = fs::read(folder.path().join(format!("first.{extension}"))).unwrap();
        bytes.extend(fs::read(folder.path().join(format!("second.{extension}"))).unwrap());
        let scanned = matcher.scan(&bytes, extension);
        assert!(!looks_clean(&scanned), "{program}: {scanned:?}");
    }
}

/// An archive behind a picture is opened by unpackers that look for its end.
#[test]
fn an_archive_behind_something_else_is_not_passed_over() {
    let matcher = Station::armed().matcher();
    let folder = folder();
    ingredients(folder.path());
    run(folder.path(), "zip", &["-q", "a.zip", "padded.com"]);
    run(folder.path(), "7z", &["a", "-m0=LZMA", "a.7z", "padded.com"]);
    run(folder.path(), "gcab", &["-c", "-z", "a.cab", "padded.com"]);
    let fronts: [(&str, &[u8]); 6] = [
        ("jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"),
        ("mp3", b"ID3\x04\x00\x00\x00\x00\x00\x00 a song without music "),
        ("ogg", b"OggS\x00\x02 a song without music "),
        ("html", b"<html><head></head><body>a page</body></html>"),
        ("pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"),
        ("db", b"SQLite format 3\x00 and nothing like a database "),
    ];
    for archive in ["a.zip", "a.7z", "a.cab"] {
        for (extension, front) in fronts {
            let mut bytes = front.to_vec();
            bytes.extend(fs::read(folder.path().join(archive)).unwrap());
            let scanned = matcher.scan(&bytes, extension);
            assert!(!looks_clean(&scanned), "{archive} behind {extension}: {scanned:?}");
        }
    }
}

/// RAR is recognised anywhere, by a header with a right checksum, and only then.
#[test]
fn a_rar_inside_a_program_is_not_checked() {
    let matcher = Station::armed().matcher();
    let mut rar5 = b"Rar!\x1a\x07\x01\x00".to_vec();
    let header = [0x03u8, 0x01, 0x00, 0x00]; // size 3: type "main archive", no flags
    rar5.extend(crc32fast::hash(&header).to_le_bytes());
    rar5.extend(header);
    let mut program = b"MZ".to_vec();
    program.resize(512, 0x90);
    let decoy = [program.as_slice(), b"Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x03\x01\x00\x00"].concat();
    program.extend(rar5);
    let rar = Cause::ContainerUnsupported(Container::Rar);
    assert!(causes(&matcher.scan(&program, "exe")).contains(&rar));
    assert!(!causes(&matcher.scan(&decoy, "exe")).contains(&rar));
}

fn scan_file(matcher: &Matcher, path: &Path) -> Scanned {
    matcher.scan(&fs::read(path).unwrap(), path.extension().and_then(|e| e.to_str()).unwrap_or(""))
}

/// A member that libclamav fails to unpack is not clean: here the compressed bytes are damaged.
#[test]
fn a_damaged_member_is_not_clean() {
    let folder = folder();
    ingredients(folder.path());
    run(folder.path(), "zip", &["-q", "a.zip", "tree/eicar.com", "padded.com"]);
    let mut bytes = fs::read(folder.path().join("a.zip")).unwrap();
    let at = memchr::memmem::find(&bytes, b"padded.com").unwrap();
    bytes[at + 60..at + 90].fill(0xff);
    fs::write(folder.path().join("damaged.zip"), bytes).unwrap();
    let scanned = scan_file(&Station::armed().matcher(), &folder.path().join("damaged.zip"));
    assert!(causes(&scanned).contains(&Cause::ContainerBroken(Container::Zip)), "{scanned:?}");
}
