//! Containers: recognised by content, with who opens them, and a comparison of what came out with what was announced.
//!
//! "The engines said clean" is not "checked": libclamav passes over what it cannot unpack without a word. So each
//! layer, the outer one and every inner one, goes through [`inspect`] when it begins, and [`Inspection::missing`] says
//! at its end what should have come out and did not.

mod boot;
mod bytes;
mod cms;
mod compound;
mod embedded;
mod flat_xml;
mod iso;
mod mail;
mod members;
mod mime;
mod office;
mod openers;
mod pdf_objects;
mod pdf_streams;
mod pdf_tokens;
mod rtf;
pub mod samples;
mod seven_zip;
mod signatures;
mod streams;
mod tnef;
mod zip;

pub use openers::{CLAMAV, OPENERS, Opened, Opener};

use crate::clamav::{SMALLEST_CONTENT, is_in_windows};
use blanche_sandbox::wire::{Cause, Container, EngineLimit};
use members::Members;
use std::collections::HashMap;
use streams::Output;

/// The layers that came out of a layer, by their sizes.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Direct inner layers.
    pub direct: Sizes,
    /// All inner layers, however deep.
    pub all: Sizes,
}

/// How many layers have each size (bytes).
#[derive(Debug, Default)]
pub struct Sizes {
    counts: HashMap<u64, u64>,
    layers: u64,
}

impl Sizes {
    /// Adds one layer.
    pub fn add(&mut self, bytes: u64) {
        *self.counts.entry(bytes).or_default() += 1;
        self.layers += 1;
    }

    /// Adds the layers of another.
    pub fn extend(&mut self, other: &Self) {
        for (bytes, count) in &other.counts {
            *self.counts.entry(*bytes).or_default() += count;
        }
        self.layers += other.layers;
    }

    /// Whether there are as many layers of each of these sizes as are `owed`.
    fn cover(&self, sizes: &HashMap<u64, u64>, owed: &HashMap<u64, u64>) -> bool {
        sizes.keys().all(|bytes| self.counts.get(bytes) >= owed.get(bytes))
    }

    /// Layers that are left when each of `owed` took its own.
    fn beyond(&self, owed: &HashMap<u64, u64>) -> u64 {
        let taken = self.counts.iter().filter_map(|(bytes, count)| owed.get(bytes).map(|owed| *owed.min(count)));
        self.layers.saturating_sub(taken.sum())
    }
}

/// What a container promises.
#[derive(Debug)]
enum Promise {
    /// At least one layer directly inside.
    Something,
    /// At least one layer anywhere inside: text that is encoded, in whatever the content is besides.
    SomethingWithin,
    /// A layer of each of these sizes, directly inside.
    Sizes(HashMap<u64, u64>),
    /// A layer of each of these sizes, anywhere inside: an archive within a file that is something else.
    Somewhere(HashMap<u64, u64>),
}

/// What is known about a layer before it is unpacked.
#[derive(Debug, Default)]
pub struct Inspection {
    /// The container that it is, the most specific one.
    pub container: Option<Container>,
    /// What will not be looked at in it.
    pub causes: Vec<Cause>,
    /// A medium in a file: our own readers see every tree of it, and engines at most one.
    pub disk_image: bool,
    promises: Vec<(Container, Promise)>,
}

impl Inspection {
    /// The containers that did not keep their promise. A layer keeps one promise: a member of the tar in front is none of
    /// the zip behind it, and content that is two archives at its first byte owes the layers of both.
    pub fn missing(&self, outcome: &Outcome) -> impl Iterator<Item = Container> {
        let direct = self.owed(|promise| matches!(promise, Promise::Sizes(_)));
        let all = self.owed(|_| true);
        self.promises
            .iter()
            .filter(move |(_, promise)| match promise {
                Promise::Something => outcome.direct.beyond(&all) == 0,
                Promise::SomethingWithin => outcome.all.beyond(&all) == 0,
                Promise::Sizes(sizes) => !outcome.direct.cover(sizes, &direct),
                Promise::Somewhere(sizes) => !outcome.all.cover(sizes, &all),
            })
            .map(|(container, _)| *container)
    }

    /// How many layers of each size the promises of a kind ask for together.
    fn owed(&self, kind: impl Fn(&Promise) -> bool) -> HashMap<u64, u64> {
        let mut owed = HashMap::new();
        for (_, promise) in self.promises.iter().filter(|(_, promise)| kind(promise)) {
            if let Promise::Sizes(sizes) | Promise::Somewhere(sizes) = promise {
                sizes.iter().for_each(|(bytes, count)| *owed.entry(*bytes).or_default() += count);
            }
        }
        owed
    }

    fn not_checked(&mut self, cause: Cause) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    fn members(&mut self, container: Container, members: &Members, promise: fn(HashMap<u64, u64>) -> Promise) {
        if members.encrypted {
            self.not_checked(Cause::Encrypted(container));
        }
        if members.unsupported {
            self.not_checked(Cause::ContainerUnsupported(container));
        }
        if members.broken {
            self.not_checked(Cause::ContainerBroken(container));
        }
        self.promises.push((container, promise(wanted(&members.sizes))));
    }

    fn output(&mut self, container: Container, output: Output) {
        match output {
            Output::Bytes(bytes) => self.promises.push((container, Promise::Sizes(wanted(&[bytes])))),
            Output::Broken => self.not_checked(Cause::ContainerBroken(container)),
            Output::Unsupported => self.not_checked(Cause::ContainerUnsupported(container)),
            Output::TooLong => self.not_checked(Cause::EngineLimit(EngineLimit::ScanSize)),
        }
    }
}

/// Sizes that libclamav shows as layers: it leaves out the smallest.
fn wanted(sizes: &[u64]) -> HashMap<u64, u64> {
    let mut wanted = HashMap::new();
    for size in sizes.iter().filter(|size| bytes::offset(**size) >= SMALLEST_CONTENT) {
        *wanted.entry(*size).or_default() += 1;
    }
    wanted
}

/// Looks at a layer before it is unpacked. `extension` (lower case, without the dot) is that of its name; `opened` is
/// what counts as opened in this process; `max_output` bounds in bytes what is unpacked to count it (0 = no limit).
#[must_use]
pub fn inspect(content: &[u8], extension: &str, opened: &Opened, max_output: u64) -> Inspection {
    let mut inspection = Inspection::default();
    let mut found = signatures::recognise(content, extension);
    let zip = zip::read(content, !found.iter().any(|container| keeps_files(*container)));
    if let (Some(zip), true) = (&zip, found.contains(&Container::Zip)) {
        found.extend(office::kind_of_zip(&zip.names));
    }
    if found.contains(&Container::Ole2) && office::is_msi(content) {
        found.push(Container::Msi);
    }
    found.extend(embedded::unopenable(content));
    found.extend(embedded::installers(content));
    let streams = embedded::behind_text(content, found.is_empty());
    streams.into_iter().for_each(|container| inspection.not_checked(unopened(container)));
    found.sort_unstable();
    found.dedup();
    inspection.disk_image = found.iter().any(|container| container.is_disk_image());
    if is_in_windows(content.len()) && found.iter().any(|container| !container.is_disk_image()) {
        // Most containers do not say what they hold: what libclamav did not unpack could not be missed.
        inspection.not_checked(Cause::EngineLimit(EngineLimit::FileSize));
    }
    inspection.container = found.iter().copied().max_by_key(|container| specificity(*container));
    for container in &found {
        if !opened.contains(*container) {
            inspection.not_checked(unopened(*container));
            continue;
        }
        promise(&mut inspection, *container, content, max_output);
    }
    if let Some(zip) = zip {
        promise_zip(&mut inspection, &zip, opened, found.contains(&Container::Zip));
    }
    promise_embedded(&mut inspection, content, opened, &found);
    if signatures::is_signed_text(content) {
        inspection.not_checked(Cause::ContainerUnsupported(Container::Cms));
    }
    if mail::is_calendar_with_content(content) {
        inspection.not_checked(Cause::ContainerUnsupported(Container::Eml));
    }
    // libclamav looks for nothing else in these two: a name or comment may begin a document.
    let only_itself = found.contains(&Container::Gzip) || signatures::is_old_cpio(content);
    if only_itself && found.contains(&Container::Pdf) {
        inspection.not_checked(Cause::ContainerUnsupported(Container::Pdf));
    }
    if office::is_encrypted_sheet(content) {
        inspection.not_checked(Cause::Encrypted(Container::Ole2));
    }
    if let Some(container) = office::unread_document(content) {
        inspection.not_checked(Cause::ContainerUnsupported(container));
    }
    if office::is_encrypted_manifest(content) {
        inspection.not_checked(Cause::Encrypted(Container::OpenDocument));
    }
    inspection
}

/// Whether a container keeps files as they are, zips among them, and gives each as a layer of its own.
fn keeps_files(container: Container) -> bool {
    !matches!(
        container,
        Container::Zip
            | Container::Gzip
            | Container::Bzip2
            | Container::Xz
            | Container::Mbox
            | Container::Eml
            | Container::Tnef
            | Container::Pdf
            | Container::Rtf
            | Container::Swf
            | Container::UuEncode
            | Container::BinHex
    )
}

/// Why a container that nobody opens was not checked.
fn unopened(container: Container) -> Cause {
    match container {
        Container::EncryptedBlob => Cause::Encrypted(container),
        other => Cause::ContainerUnsupported(other),
    }
}

/// Documents and packages are also the container that they are made of; the report names the former.
fn specificity(container: Container) -> u8 {
    match container {
        Container::Msi | Container::Ooxml | Container::OpenDocument => 3,
        Container::Zip | Container::Ole2 => 1,
        _ => 2,
    }
}

/// What a container that counts as opened must give.
fn promise(inspection: &mut Inspection, container: Container, content: &[u8], max_output: u64) {
    match container {
        Container::SevenZip => match seven_zip::read(content) {
            Some(members) => inspection.members(container, &members, Promise::Sizes),
            None => inspection.not_checked(Cause::ContainerBroken(container)),
        },
        Container::Tar => inspection.members(container, &members::tar(content), Promise::Sizes),
        Container::Cab => match members::cab(content, 0) {
            Some(members) => inspection.members(container, &members, Promise::Sizes),
            None => inspection.not_checked(Cause::ContainerBroken(container)),
        },
        Container::Cpio => match members::cpio(content) {
            Some(members) => inspection.members(container, &members, Promise::Sizes),
            None => inspection.promises.push((container, Promise::Something)),
        },
        Container::Arj => match members::arj(content) {
            Some(members) => inspection.members(container, &members, Promise::Sizes),
            None => inspection.not_checked(Cause::ContainerBroken(container)),
        },
        Container::Lha => inspection.members(container, &members::lha(content), Promise::Sizes),
        Container::Iso9660 => inspection.members(container, &iso::read(content), Promise::Sizes),
        Container::Gzip => inspection.output(container, streams::gzip(content, max_output)),
        Container::Xz => inspection.output(container, streams::xz(content)),
        Container::Bzip2 => {
            if !streams::bzip2_is_one_stream(content) {
                inspection.not_checked(Cause::ContainerUnsupported(container));
            }
            inspection.promises.push((container, Promise::Something));
        }
        Container::Tnef => inspection.members(container, &tnef::read(content), Promise::Sizes),
        Container::Xar => inspection.promises.push((container, Promise::Something)),
        Container::UuEncode | Container::BinHex => inspection.promises.push((container, Promise::SomethingWithin)),
        Container::Swf if !content.starts_with(b"F") => inspection.promises.push((container, Promise::Something)),
        Container::Ole2 if office::is_encrypted_ole2(content) => inspection.not_checked(Cause::Encrypted(container)),
        Container::Ole2 if compound::hides_streams(content) => {
            inspection.not_checked(Cause::ContainerUnsupported(container));
        }
        Container::Rtf if rtf::hides_objects(content) => {
            inspection.not_checked(Cause::ContainerUnsupported(container));
        }
        Container::Eml | Container::Mbox => promise_mail(inspection, container, content),
        Container::Pdf
            if pdf_objects::is_taken_for_another(content)
                || pdf_objects::hide_streams(content)
                || pdf_streams::are_unread(content, max_output) =>
        {
            inspection.not_checked(Cause::ContainerUnsupported(container));
        }
        // Documents and mails may well hold nothing but themselves.
        _ => {}
    }
}

fn promise_mail(inspection: &mut Inspection, container: Container, content: &[u8]) {
    let parts = mime::encoded_parts(content);
    let encoded = mail::announces_encoded_parts(content);
    if parts.ambiguous || (encoded && mail::goes_on_behind_padding(content)) {
        inspection.not_checked(Cause::ContainerUnsupported(container));
    }
    // Something is announced in a form in which it is not counted.
    if encoded && parts.sizes.is_empty() && parts.within.is_empty() {
        inspection.promises.push((container, Promise::Something));
    }
    inspection.promises.push((container, Promise::Sizes(wanted(&parts.sizes))));
    inspection.promises.push((container, Promise::Somewhere(wanted(&parts.within))));
}

fn promise_zip(inspection: &mut Inspection, zip: &zip::Zip, opened: &Opened, outer: bool) {
    let container = Container::Zip;
    if !opened.contains(container) {
        return inspection.not_checked(Cause::ContainerUnsupported(container));
    }
    let members = Members {
        sizes: zip.sizes.clone(),
        encrypted: zip.encrypted,
        unsupported: zip.unsupported,
        broken: zip.broken,
    };
    inspection.members(container, &members, if outer { Promise::Sizes } else { Promise::Somewhere });
}

fn promise_embedded(inspection: &mut Inspection, content: &[u8], opened: &Opened, found: &[Container]) {
    let archives =
        [(Container::SevenZip, embedded::seven_zips(content)), (Container::Cab, embedded::cabinets(content))];
    for (container, list) in archives {
        for members in list {
            if opened.contains(container) {
                inspection.members(container, &members, Promise::Somewhere);
            } else if !found.contains(&container) {
                inspection.not_checked(Cause::ContainerUnsupported(container));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document says nowhere how many objects it holds, so nobody would miss what lies across two windows.
    #[test]
    fn a_container_that_is_matched_in_windows_is_not_checked() {
        let limit = Cause::EngineLimit(EngineLimit::FileSize);
        // Zeros that are only read take no memory.
        let mut content = vec![0u8; 4 << 30];
        assert!(!inspect(&content, "", &Opened::claimed(), 0).causes.contains(&limit));
        content[..8].copy_from_slice(b"%PDF-1.4");
        let inspection = inspect(&content, "pdf", &Opened::claimed(), 0);
        assert!(inspection.causes.contains(&limit), "{inspection:?}");
    }
}
