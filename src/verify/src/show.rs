//! What a tag says, in words and as JSON: `blanche tag show`.

use crate::arguments::ShowArguments;
use crate::confine;
use crate::copy::{Copy, TAG_NAME};
use crate::failure::Failure;
use crate::folder;
use crate::inspect;
use crate::interrupt::Interrupt;
use crate::lang::Lang;
use crate::report::{RefusalLine, exit, pretty};
use crate::target::{Input, Kind, Target, Unseen};
use crate::verification::no_tag;
use crate::words;
use crate::workstation::Workstation;
use blanche_media::Medium;
use blanche_tag::claims::{Claims, Verdict, Volume};
use blanche_tag::envelope::Envelope;
use blanche_tag::visible::{harmless, visible};
use blanche_tag::{Level, OnMissing, Policy, Refusal, TagFile, verify};
use serde_json::{Value, json};
use std::fmt::Write;

/// A tag, and whether it can be believed.
#[derive(Debug)]
pub(crate) struct Shown {
    /// What it says, if that can be decoded.
    claims: Option<Claims>,
    /// Signatures, chain, times, lists and manifest; the medium was not looked at.
    pub(crate) outcome: Result<(), Refusal>,
}

/// Finds and verifies a tag as far as that goes without its medium.
///
/// # Errors
/// [`Failure`]: there is no answer.
pub(crate) fn run(arguments: &ShowArguments) -> Result<Shown, Failure> {
    let interrupt = Interrupt::watch()?;
    let mut workstation = Workstation::prepare(&arguments.demands, None)?;
    let target = Target::open(&arguments.target, arguments.demands.block_size)?;
    confine::enter(&target)?;
    workstation.policy = alone(&workstation.policy);
    let copies = match &target.input {
        Input::Folder(root) => folder::tag(root).into_iter().collect(),
        Input::Medium(source) => {
            let reader = source.reader();
            let mut magic = [0; 8];
            let is_tag = target.kind == Kind::Image
                && reader.read_at(0, &mut magic).is_ok()
                && blanche_tag::header(1, 0).is_ok_and(|header| header.starts_with(&magic));
            if is_tag {
                vec![Copy::of(&source.file)]
            } else {
                inspect::tags(&Medium::new(&*reader, source.block), &interrupt)?
            }
        }
    };
    let mut shown = None;
    for copy in &copies {
        let outcome = verify(copy, &workstation.context(), &Unseen).outcome.map(|_| ());
        let accepted = outcome.is_ok();
        if accepted || shown.is_none() {
            shown = Some(Shown { claims: decode(copy), outcome });
        }
        if accepted {
            break;
        }
    }
    Ok(shown.unwrap_or_else(|| Shown { claims: None, outcome: Err(no_tag()) }))
}

/// The policy without what needs the medium. Level identity needs something of it; what the others need comes after the
/// steps that are done here.
fn alone(policy: &Policy) -> Policy {
    let accept = OnMissing::Accept;
    Policy {
        level: Level::Full,
        usb_not_available: accept,
        capacity_not_available: accept,
        boot_not_available: accept,
        ..policy.clone()
    }
}

/// What a tag says, whoever signed it.
fn decode(copy: &Copy) -> Option<Claims> {
    let file = TagFile::open(copy).ok()?;
    Envelope::<Claims>::open(&file.envelope).ok()?.unverified().ok()
}

/// As one JSON document, `blanche-tag-claims/1`.
pub(crate) fn document(shown: &Shown, lang: Lang) -> String {
    pretty(&json!({
        "schema": "blanche-tag-claims/1",
        "verified": shown.outcome.is_ok(),
        "exit_code": exit(&shown.outcome).code(),
        "refusal": shown.outcome.as_ref().err().map(|refusal| RefusalLine::new(refusal, lang)),
        "claims": shown.claims.as_ref().map(claims_value),
    }))
}

fn claims_value(claims: &Claims) -> Value {
    let medium = &claims.medium;
    let usb = medium
        .usb
        .as_ref()
        .map(|usb| json!({ "vendor": usb.vendor, "product": usb.product, "serial": visible(usb.serial.as_bytes()) }));
    let engines = claims.how.engines.iter().map(|engine| {
        let bases = engine.bases.iter().map(|base| {
            json!({ "name": harmless(&base.name), "version": harmless(&base.version), "date": words::time(base.date),
                "signatures": base.signatures, "sha256": words::hex(&base.sha256) })
        });
        json!({ "name": harmless(&engine.name), "version": harmless(&engine.version), "bases": bases.collect::<Vec<_>>() })
    });
    let content = &claims.content;
    json!({
        "tag": words::uuid(&claims.tag),
        "station": claims.station.as_str(),
        "site": claims.site.as_str(),
        "issued": words::time(claims.issued),
        "expires": words::time(claims.expires),
        "counter": claims.counter,
        "verdict": verdict(claims.verdict),
        "medium": {
            "capacity": medium.capacity,
            "block": medium.block,
            "usb": usb,
            "boot_areas": medium.areas.len(),
            "tag_volume": medium.tag_volume,
        },
        "volumes": claims.volumes.iter().map(volume_value).collect::<Vec<_>>(),
        "content": {
            "manifest_sha256": words::hex(&content.manifest_sha256),
            "files": content.files, "streams": content.streams, "folders": content.folders, "links": content.links,
            "others": content.others, "bytes": content.bytes, "checked": content.checked, "skipped": content.skipped,
            "unreadable": content.unreadable,
        },
        "engines": engines.collect::<Vec<_>>(),
        "policy": { "name": harmless(&claims.how.policy), "version": claims.how.policy_version },
        "program": harmless(&claims.how.program),
        "exceptions": claims.exceptions.len(),
    })
}

fn volume_value(volume: &Volume) -> Value {
    json!({
        "start": volume.start,
        "length": volume.length,
        "filesystem": volume.filesystem.as_str(),
        "identifier": volume.identifier.as_deref().map(harmless),
        "hidden": volume.hidden,
        "efi": volume.efi,
    })
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Clean => "clean",
        Verdict::Infected => "infected",
        Verdict::Incomplete => "incomplete",
        Verdict::Refused => "refused",
    }
}

/// For a person. A tag that cannot be believed says so before everything else.
pub(crate) fn text(shown: &Shown, lang: Lang) -> String {
    let mut out = String::new();
    match &shown.outcome {
        Ok(()) => line(
            &mut out,
            lang.of(
                "Étiquette authentique et valable ; le support n'a pas été comparé.",
                "An authentic and valid tag; the medium was not compared.",
            ),
        ),
        Err(refusal) => {
            let sentences = lang.of(refusal.code.french(), refusal.code.english());
            line(
                &mut out,
                lang.of(
                    "*** ÉTIQUETTE NON VÉRIFIÉE : ne croyez rien de ce qui suit ***",
                    "*** TAG NOT VERIFIED: do not believe anything below ***",
                ),
            );
            line(&mut out, &format!("{} {}", sentences.what, sentences.next));
            line(&mut out, &format!("{} ({}): {}", refusal.code.as_str(), refusal.step, harmless(&refusal.detail)));
        }
    }
    if let Some(claims) = &shown.claims {
        claims_text(&mut out, claims, lang);
    }
    out
}

/// Writing into memory does not fail.
fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

fn claims_text(out: &mut String, claims: &Claims, lang: Lang) {
    let content = &claims.content;
    let detached = lang.of("détachée", "detached").to_owned();
    let place = claims
        .medium
        .tag_volume
        .map_or(detached, |volume| format!("volume {volume}, {}", String::from_utf8_lossy(TAG_NAME)));
    let usb = claims
        .medium
        .usb
        .as_ref()
        .map(|usb| format!("{:04x}:{:04x} {}", usb.vendor, usb.product, visible(usb.serial.as_bytes())));
    let volumes = claims.volumes.iter().map(|volume| volume.filesystem.as_str()).collect::<Vec<_>>();
    let engines = claims.how.engines.iter().map(|engine| {
        let date = engine.bases.iter().map(|base| base.date).max().map(words::time).unwrap_or_default();
        format!("{} {} ({date})", harmless(&engine.name), harmless(&engine.version))
    });
    let rows = [
        (lang.of("identifiant", "identifier"), words::uuid(&claims.tag)),
        (lang.of("station", "station"), format!("{} ({})", claims.station, claims.site)),
        (lang.of("émise", "issued"), words::time(claims.issued)),
        (lang.of("expire", "expires"), words::time(claims.expires)),
        (lang.of("compteur", "counter"), claims.counter.to_string()),
        (lang.of("verdict", "verdict"), verdict(claims.verdict).to_owned()),
        (lang.of("support", "medium"), crate::progress::megabytes(lang, claims.medium.capacity)),
        (lang.of("USB", "USB"), usb.unwrap_or_else(|| lang.of("non indiqué", "not stated").to_owned())),
        (lang.of("volumes", "volumes"), volumes.join(", ")),
        (lang.of("place", "place"), place),
        (lang.of("fichiers", "files"), content.files.to_string()),
        (lang.of("contenu", "content"), crate::progress::megabytes(lang, content.bytes)),
        (lang.of("moteurs", "engines"), engines.collect::<Vec<_>>().join(", ")),
        (lang.of("dispenses", "exceptions"), claims.exceptions.len().to_string()),
    ];
    for (name, value) in rows {
        line(out, &format!("  {name:<12} {value}"));
    }
}
