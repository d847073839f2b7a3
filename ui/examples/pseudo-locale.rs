//! Writes the two languages that nobody speaks into a folder: `pseudo-locale FOLDER`, then `words = "FOLDER"` in the configuration
//! and `blanche-kiosk --lang xx` (left to right) or `--lang yy` (right to left).

use blanche_kiosk::pseudo;
use std::io;
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "usage: pseudo-locale FOLDER");
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or_else(usage)?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("xx.po"), pseudo::catalogue(false))?;
    std::fs::write(folder.join("yy.po"), pseudo::catalogue(true))
}
