//! What is on the media of a training station. Everything is made when it is needed: nothing that an engine finds is in the
//! program, nor in its package.

use super::archive::{Member, zip};
use std::fmt::Write;

/// Files by path; folders are parted by `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files(pub(super) Vec<(String, Vec<u8>)>);

impl Files {
    fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.0.push((path.into(), content.into()));
        self
    }
}

/// Files of [`many`], and of [`slow`] with their bytes: a minute at 1 MiB per second.
const FOLDERS: u32 = 20;
const IN_EACH: u32 = 150;
const SLOW_FILES: u32 = 480;
const SLOW_BYTES: usize = 128 << 10;

/// The password of the archive that nobody opens at a station.
const PASSWORD: &str = "formation";

/// The test file of EICAR (eicar.org), from its end to its beginning: in the other order every scanner would find this program.
const RACIE: &str = r"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X";

fn eicar() -> Vec<u8> {
    RACIE.bytes().rev().collect()
}

/// A few documents.
pub(super) fn documents() -> Files {
    let picture = [b"P6 64 64 255\n".to_vec(), vec![0x7f; 64 * 64 * 3]].concat();
    Files::default()
        .with("Compte rendu.txt", "Compte rendu de la réunion du 22 novembre.\r\n")
        .with("Liste.csv", "nom;service\r\nDurand;accueil\r\nÉmile;courrier\r\n")
        .with("Photos/été.ppm", picture)
}

/// Documents, and EICAR in an archive in a folder.
pub(super) fn infected() -> Files {
    let archive = zip(&[Member { name: "facture.com", content: &eicar(), password: None }]);
    documents().with("Documents/archives/facture.zip", archive)
}

/// Documents, and an archive with a password.
pub(super) fn locked() -> Files {
    let content = b"nom;montant\r\nDurand;1200\r\n";
    documents().with("Paie.zip", zip(&[Member { name: "paie.csv", content, password: Some(PASSWORD) }]))
}

/// Thousands of small files in a few folders.
pub(super) fn many() -> Files {
    let numbers = (0..FOLDERS).flat_map(|folder| (0..IN_EACH).map(move |file| (folder, file)));
    numbers.fold(Files::default(), |files, (folder, file)| {
        files.with(format!("Dossier {folder:02}/note {file:03}.txt"), format!("Note {file} du dossier {folder}.\r\n"))
    })
}

/// Files that together take a minute; no two are the same, so that each is checked.
pub(super) fn slow() -> Files {
    (0..SLOW_FILES)
        .fold(Files::default(), |files, number| files.with(format!("Relevés/relevé {number:03}.csv"), readings(number)))
}

/// Lines of numbers.
fn readings(number: u32) -> Vec<u8> {
    let mut text = String::with_capacity(SLOW_BYTES);
    let mut value = number;
    while text.len() < SLOW_BYTES {
        // A linear congruential generator (Numerical Recipes): numbers that do not repeat within a file.
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Memory takes everything.
        let _ = writeln!(text, "{number};{value}");
    }
    text.truncate(SLOW_BYTES);
    text.into_bytes()
}

/// The first header of LUKS 1 ("LUKS On-Disk Format Specification" 1.2.3, figure 1), without a key that would open it.
pub(super) fn luks() -> Vec<u8> {
    /// Where the eight key slots begin, their bytes, and the word of one that is not in use (figure 2).
    const SLOTS: usize = 208;
    const SLOT: [u8; 48] = {
        let mut slot = [0; 48];
        [slot[0], slot[1], slot[2], slot[3]] = 0x0000_dead_u32.to_be_bytes();
        slot
    };
    let mut header = vec![0u8; SLOTS];
    let mut put = |at: usize, bytes: &[u8]| {
        header.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
    };
    put(0, b"LUKS\xba\xbe");
    put(6, &1u16.to_be_bytes());
    put(8, b"aes");
    put(40, b"xts-plain64");
    put(72, b"sha256");
    // Payload at 2 MiB, in sectors; bytes of the master key; iterations of its digest.
    put(104, &4096u32.to_be_bytes());
    put(108, &64u32.to_be_bytes());
    put(164, &100_000u32.to_be_bytes());
    put(168, b"b1a2c3d4-0000-4000-8000-000000000001");
    header.extend(std::iter::repeat_n(SLOT, 8).flatten());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_file_is_the_one_of_eicar() {
        // Its length and its SHA-256 stand on eicar.org.
        use sha2::{Digest, Sha256};
        let digest: String = Sha256::digest(eicar()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f");
        assert_eq!(eicar().len(), 68);
    }

    #[test]
    fn the_slow_medium_takes_a_minute_and_no_two_of_its_files_are_the_same() {
        let Files(files) = slow();
        let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
        assert_eq!(bytes, 60 << 20);
        let different: std::collections::BTreeSet<_> = files.iter().map(|(_, content)| content).collect();
        assert_eq!(different.len(), files.len());
    }
}
