//! `blanche tag list`, `blanche tag export`: the tags that the station keeps.

use super::{ExportArguments, complain, delivered, print};
use crate::exit::Exit;
use crate::identity;
use crate::seal::{Unaccepted, accepts, store};
use blanche_scan::ScanError;
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use blanche_scan::words::{self, Lang, harmless};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Tags of one medium that are tried: more than a person has ever had made, and fewer than files can be open.
const NEWEST: usize = 256;

/// One line for each tag, media in no order, the newest tag of each first.
pub(super) fn list(settings: Result<Settings, ScanError>, lang: Lang) -> Exit {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return failed(&error, lang),
    };
    let kept = match store::all(&settings.seal.detached) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return failed(&station(&settings.seal.detached, &error), lang),
    };
    let written = print(|out| {
        if kept.is_empty() {
            return writeln!(
                out,
                "{}",
                lang.pick("La station ne garde aucune étiquette.", "The station keeps no tag.")
            );
        }
        kept.iter().try_for_each(|tag| {
            let claims = &tag.claims;
            let day = |time: u64| i64::try_from(time).ok().and_then(|time| words::date(time, lang)).unwrap_or_default();
            let size = words::size(claims.medium.capacity, lang);
            let files = words::files(claims.content.files, lang);
            let (issued, expires) = (day(claims.issued), day(claims.expires));
            let until = lang.pick("valable jusqu'au", "valid until");
            let file = harmless(&tag.file.display().to_string());
            writeln!(out, "{issued}, {until} {expires}, {size}, {files}, {}.{}\n  {file}", claims.station, claims.site)
        })
    });
    delivered(written, Exit::Clean, lang)
}

/// Looks for the tag by the identity of the medium; of several, the newest that the verifier accepts for it now.
pub(super) fn export(arguments: &ExportArguments, settings: Result<Settings, ScanError>, lang: Lang) -> u8 {
    match settings.and_then(|settings| exported(arguments, &settings)) {
        Ok(true) => {
            let name = words::visible(arguments.to.as_os_str().as_bytes());
            let line = lang.pick(format!("Étiquette écrite dans {name}"), format!("Tag written to {name}"));
            delivered(print(|out| writeln!(out, "{line}")), Exit::Clean, lang).code()
        }
        Ok(false) => {
            let (what, next) = lang.pick(
                ("La station ne garde aucune étiquette qui décrit ce support.", "Faites-le vérifier par la station."),
                ("The station keeps no tag that describes this medium.", "Have it checked by the station."),
            );
            let _ = writeln!(io::stderr(), "blanche: {what}\n         {next}");
            blanche_verify::Exit::NoTag.code()
        }
        Err(error) => failed(&error, lang).code(),
    }
}

fn exported(arguments: &ExportArguments, settings: &Settings) -> Result<bool, ScanError> {
    let ExportArguments { target, to } = arguments;
    let medium = identity::of(target).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ScanError::TargetMissing { path: target.clone(), source },
        io::ErrorKind::InvalidInput => ScanError::TargetUnsupported { path: target.clone() },
        _ => ScanError::TargetUnreadable { path: target.clone(), source },
    })?;
    let folder = store::of_medium(&settings.seal.detached, &medium);
    let kept = match store::tags(&folder) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(station(&folder, &error)),
    };
    let newest: Vec<_> = kept.iter().take(NEWEST).map(|tag| tag.file.as_path()).collect();
    if newest.is_empty() {
        return Ok(false);
    }
    let opened = File::open(target).map_err(|error| station(target, &error))?;
    let accepted = match accepts(settings, &opened, &newest, &Cancel::default(), Duration::ZERO) {
        Ok(accepted) => accepted,
        Err(Unaccepted::Refused(_)) => return Ok(false),
        Err(Unaccepted::Cancelled) => return Err(ScanError::Cancelled),
        Err(Unaccepted::Failed(why)) => return Err(ScanError::Station(why)),
    };
    let tag = kept.iter().find(|tag| uuid::Uuid::from_bytes(tag.claims.tag).to_string() == accepted);
    tag.map_or(Ok(false), |tag| copy(&tag.file, to).map(|()| true))
}

/// A file that must not exist: nothing is ever overwritten by an export. Half a tag is not left.
fn copy(from: &Path, to: &Path) -> Result<(), ScanError> {
    let of = |path| move |error| station(path, &error);
    let mut tag = File::open(from).map_err(of(from))?;
    let mut file = File::create_new(to).map_err(of(to))?;
    let copied = io::copy(&mut tag, &mut file).and_then(|_| file.sync_all());
    copied.inspect_err(|_| drop(std::fs::remove_file(to))).map_err(of(to))
}

fn station(path: &Path, error: &io::Error) -> ScanError {
    ScanError::Station(format!("{}: {error}", words::visible(path.as_os_str().as_bytes())))
}

fn failed(error: &ScanError, lang: Lang) -> Exit {
    complain(error, lang);
    Exit::from(error)
}
