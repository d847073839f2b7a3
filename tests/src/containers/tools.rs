//! Containers that Debian's packers write.

use super::ContainerSample;
use crate::samples::{eicar_gzipped, eicar_padded, made_by, nested, password_7z, plain_zip};
use crate::tools::run_with_input;
use blanche_sandbox::wire::Container;
use std::path::Path;

pub(super) fn samples() -> Vec<ContainerSample> {
    let gz = "eicar.com.gz";
    let folder_of = |program, arguments: &[&str], output| made_by(program, arguments, output);
    let mut samples = vec![
        ContainerSample::new("zip", "archive.zip", Container::Zip, plain_zip()),
        ContainerSample::new(
            "7z",
            "archive.7z",
            Container::SevenZip,
            folder_of("7z", &["a", "-bd", "a.7z", gz], "a.7z"),
        ),
        ContainerSample::new("nested", "nested.7z", Container::SevenZip, nested()),
        ContainerSample::new("7z with a password", "password.7z", Container::SevenZip, password_7z()),
        ContainerSample::new("tar", "archive.tar", Container::Tar, folder_of("tar", &["-cf", "a.tar", gz], "a.tar")),
        ContainerSample::new("arj", "archive.arj", Container::Arj, folder_of("arj", &["a", "a.arj", gz], "a.arj")),
        ContainerSample::new("cab", "archive.cab", Container::Cab, folder_of("gcab", &["-cz", "a.cab", gz], "a.cab")),
        ContainerSample::new("ar", "archive.a", Container::Ar, folder_of("ar", &["rcS", "a.a", gz], "a.a")),
        ContainerSample::new("wim", "image.wim", Container::Wim, wim()),
        ContainerSample::new("squashfs", "image.squashfs", Container::SquashFs, squashfs()),
        ContainerSample::new("cramfs", "image.cramfs", Container::CramFs, cramfs()),
        ContainerSample::new("iso", "image.iso", Container::Iso9660, iso(&["-J", "-r"])),
        ContainerSample::new("udf", "image.udf", Container::Udf, iso(&["-udf"])),
        ContainerSample::new(
            "zpaq",
            "archive.zpaq",
            Container::Zpaq,
            folder_of("zpaq", &["add", "a.zpaq", gz, "-method", "0"], "a.zpaq"),
        ),
        ContainerSample::new(
            "lrzip",
            "eicar.lrz",
            Container::Lrzip,
            folder_of("lrzip", &["-q", "-n", "-o", "a.lrz", gz], "a.lrz"),
        ),
        ContainerSample::new("deb", "package.deb", Container::Ar, deb()),
        ContainerSample::new("msi", "package.msi", Container::Msi, msi()),
        ContainerSample::new("pgp message", "message.asc", Container::EncryptedBlob, pgp()),
        ContainerSample::new("encrypted key", "key.pem", Container::EncryptedBlob, encrypted_key()),
    ];
    samples.extend(streams());
    samples
}

/// Formats that pack one stream; those that store what does not shrink are given EICAR in gzip.
fn streams() -> Vec<ContainerSample> {
    let packed = |program, arguments: &[&str], bytes: &[u8]| run_with_input(Path::new("/"), program, arguments, bytes);
    let (plain, gz) = (eicar_padded(), eicar_gzipped());
    vec![
        ContainerSample::new("gzip", "eicar.com.gz", Container::Gzip, packed("gzip", &["-c"], &plain)),
        ContainerSample::new("bzip2", "eicar.com.bz2", Container::Bzip2, packed("bzip2", &["-c"], &plain)),
        ContainerSample::new("xz", "eicar.com.gz.xz", Container::Xz, packed("xz", &["-c"], &gz)),
        ContainerSample::new("lzma", "eicar.com.lzma", Container::LzmaAlone, packed("lzma", &["-c"], &plain)),
        ContainerSample::new("lzip", "eicar.com.lz", Container::Lzip, packed("lzip", &["-c"], &plain)),
        ContainerSample::new("zstd", "eicar.com.gz.zst", Container::Zstd, packed("zstd", &["-c"], &gz)),
        ContainerSample::new("lz4", "eicar.com.gz.lz4", Container::Lz4, packed("lz4", &["-c"], &gz)),
        ContainerSample::new("lzop", "eicar.com.gz.lzo", Container::Lzop, packed("lzop", &["-c"], &gz)),
        ContainerSample::new("brotli", "eicar.com.gz.br", Container::Brotli, packed("brotli", &["-c"], &gz)),
        ContainerSample::new("compress", "eicar.com.Z", Container::Compress, packed("compress", &["-c", "-f"], &plain)),
    ]
}

fn wim() -> Vec<u8> {
    made_by("sh", &["-c", "mkdir d && mv eicar.com.gz d && wimlib-imagex capture d a.wim --compress=LZX"], "a.wim")
}

fn squashfs() -> Vec<u8> {
    made_by("mksquashfs", &["eicar.com.gz", "a.squashfs", "-quiet", "-no-progress"], "a.squashfs")
}

fn cramfs() -> Vec<u8> {
    made_by("sh", &["-c", "mkdir d && mv eicar.com.gz d && mkfs.cramfs d a.cramfs"], "a.cramfs")
}

fn iso(options: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["-quiet"];
    arguments.extend(options);
    arguments.extend(["-o", "a.iso", "eicar.com.gz"]);
    made_by("genisoimage", &arguments, "a.iso")
}

fn deb() -> Vec<u8> {
    const SCRIPT: &str = "mkdir -p d/DEBIAN d/opt && mv eicar.com.gz d/opt && \
        printf 'Package: sample\\nVersion: 1\\nArchitecture: all\\nMaintainer: Blanche <b@example.org>\\nDescription: x\\n' \
        > d/DEBIAN/control && dpkg-deb --build --root-owner-group -Zxz d a.deb";
    made_by("sh", &["-c", SCRIPT], "a.deb")
}

/// A Windows installer package by wixl: an OLE2 file with a cabinet in one stream.
fn msi() -> Vec<u8> {
    const SOURCE: &str = r#"<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="Sample" Language="1033" Version="1.0.0" Manufacturer="Blanche"
 UpgradeCode="6c1ad2a0-5d0b-4f0e-9a52-8f6f0c6f2b11"><Package InstallerVersion="200" Compressed="yes"/>
<Media Id="1" Cabinet="a.cab" EmbedCab="yes"/><Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="D" Name="D">
<Component Id="C" Guid="0f9d7a53-4d4a-4f5c-b8a5-0a4ddc7cf0a2"><File Id="F" Source="eicar.com.gz"/></Component>
</Directory></Directory><Feature Id="M" Level="1"><ComponentRef Id="C"/></Feature></Product></Wix>"#;
    made_by("sh", &["-c", &format!("cat > a.wxs <<'WXS'\n{SOURCE}\nWXS\nwixl -o a.msi a.wxs")], "a.msi")
}

/// A message under a passphrase (RFC 9580), in its text form. The agent that gpg starts ends with its folder's sockets.
fn pgp() -> Vec<u8> {
    const SCRIPT: &str = "export GNUPGHOME=$PWD/g && mkdir -m 700 g && gpg --batch --quiet --pinentry-mode loopback \
        --passphrase infected --armor -o a.asc --symmetric eicar.com && gpgconf --kill all";
    made_by("sh", &["-c", SCRIPT], "a.asc")
}

/// A private key in PKCS #8 (RFC 5958) under a password.
fn encrypted_key() -> Vec<u8> {
    const ARGUMENTS: [&str; 7] = ["genpkey", "-algorithm", "ED25519", "-aes256", "-pass", "pass:infected", "-out"];
    made_by("openssl", &[&ARGUMENTS[..], &["key.pem"]].concat(), "key.pem")
}
