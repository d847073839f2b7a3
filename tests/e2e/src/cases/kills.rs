//! What a hand or a power cut does at any moment: media pulled out, processes killed. Nothing is ever called clean that is
//! not, no session is stuck, the journal is whole, and the next key is served. Each is done a few times, or `MOMENTS` times.

use super::Case;
use super::faults::{MIB, noise};
use super::media::{letter, seal};
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::run::say;
use crate::station::{Outcome, Session};
use blanche_tests::samples::eicar;
use blanche_tests::{Format, Layout, Tree, image};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new("yanks", "infected and clean keys pulled out at random moments", AFTERWARDS, yanks),
    Case::new("kill-reader", "infected key, the reader killed at random moments", AFTERWARDS, |bench| {
        children(bench, "blanche-reader", true)
    }),
    Case::new("kill-matcher", "infected key, zygote and matchers killed at random moments", AFTERWARDS, |bench| {
        children(bench, "blanche-matcher", true)
    }),
    Case::new("kill-sealer", "clean key, the sealer killed at random moments", AFTERWARDS, |bench| {
        children(bench, "blanche-sealer", false)
    }),
    Case::new("kill-signer", "clean key, the signer killed at random moments", AFTERWARDS, |bench| {
        children(bench, SIGNER, false)
    }),
    Case::new("kill-stationd", "infected and clean keys, the daemon killed at random moments", AFTERWARDS, daemon),
];

pub(super) const AFTERWARDS: &str =
    "never clean without reason; journal whole; next key: clean, sealed; workstation: accepted";

const SIGNER: &str = "blanche-signer";

/// Times that a medium is pulled out, and that a process is killed, unless `MOMENTS` says another number.
const YANKS: u32 = 5;
const KILLS: u32 = 2;

/// Bytes per second, so that there is time to do something.
const SLOW: u64 = 4 << 20;

pub(super) fn medium(bench: &Bench, infected: bool) -> PathBuf {
    let tree = letter().with("grand.bin", noise(6 * MIB));
    let tree: Tree = if infected { tree.with("virus.com", eicar()) } else { tree };
    image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &tree)
}

/// Random moments, the same again for the same SEED.
fn moments(case: u64) -> Result<fastrand::Rng> {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    say(&format!("seed {seed}"))?;
    Ok(fastrand::Rng::with_seed(seed.wrapping_mul(1000).wrapping_add(case)))
}

/// How often; in a long run, more often.
fn times(usual: u32) -> u32 {
    std::env::var("MOMENTS").ok().and_then(|moments| moments.parse().ok()).unwrap_or(usual)
}

fn yanks(bench: &mut Bench) -> Result<String> {
    let mut moments = moments(0)?;
    let mut wrong = Vec::new();
    for round in 0..times(YANKS) {
        let infected = round % 2 == 0;
        let medium = medium(bench, infected);
        let session = bench.insert(Device::key("key", "1", &Backing::Slow(medium.clone(), SLOW)))?;
        if !infected {
            bench.station.sealing(&session)?;
        }
        thread::sleep(Duration::from_millis(moments.u64(0..longest(infected))));
        bench.pull()?;
        let outcome = bench.end(&session)?;
        bench.clear()?;
        let workstation = bench.station.verify(&medium, 512, None)?;
        judge(&outcome, infected, &workstation, &mut wrong)?;
    }
    afterwards(bench, wrong)
}

/// Milliseconds in which a key may be struck: up to its verdict, a clean one from the beginning of its sealing on.
const fn longest(infected: bool) -> u64 {
    if infected { 2500 } else { 800 }
}

fn children(bench: &mut Bench, name: &str, infected: bool) -> Result<String> {
    let mut moments = moments(name.len() as u64)?;
    let (mut wrong, mut hits) = (Vec::new(), 0);
    // Those that work at the end live for tenths of a second, the signer for less than that.
    let mut longest = match name {
        SIGNER => 1,
        _ if infected => 1500,
        _ => 150,
    };
    let wanted = times(KILLS);
    // Not every key hits a process while it lives, least of all on a machine that has other work.
    let tries = wanted.saturating_mul(20);
    for _ in 0..tries {
        let medium = medium(bench, infected);
        let session = bench.insert(Device::key("key", "1", &Backing::Slow(medium.clone(), SLOW)))?;
        let hit = kill(bench, name, moments.u64(0..longest))?;
        let outcome = bench.end(&session)?;
        bench.clear()?;
        let workstation = bench.station.verify(&medium, 512, None)?;
        say(if hit { "  killed" } else { "  it had ended" })?;
        judge(&outcome, infected, &workstation, &mut wrong)?;
        hits += u32::from(hit);
        if hits == wanted {
            return afterwards(bench, wrong);
        }
        // On a machine on which looking takes longer it is found when most of its life is over.
        longest = if hit { longest } else { (longest * 3 / 4).max(1) };
    }
    Ok(format!("{hits} kills in {tries} tries"))
}

/// Kills every process of this name, so many milliseconds after there is one; whether there still was one.
fn kill(bench: &mut Bench, name: &str, after: u64) -> Result<bool> {
    // The kernel keeps fifteen letters of a name. The signer is looked for by its user, which nobody else is.
    let short: String = name.chars().take(15).collect();
    let who = if name == SIGNER { format!("-u {name}") } else { format!("-x {short}") };
    let (whole, rest) = (after / 1000, after % 1000);
    let first = if after == 0 { "pkill -9" } else { "pgrep" };
    // Half a processor for ninety seconds at most: what lives for a tenth of a second is not found by looking now and
    // then.
    let said = bench.guest.run(&format!(
        "end=$(($(date +%s) + 90))
        until {first} {who} >/dev/null || [ $(date +%s) -ge $end ]; do :; done
        sleep {whole}.{rest:03}
        pkill -9 {who} || [ {after} = 0 -a $(date +%s) -lt $end ] && echo hit || true"
    ))?;
    Ok(said.trim() == "hit")
}

fn daemon(bench: &mut Bench) -> Result<String> {
    let mut moments = moments(99)?;
    let mut wrong = Vec::new();
    for round in 0..times(KILLS) {
        let infected = round % 2 == 0;
        let medium = medium(bench, infected);
        let lost: Session = bench.insert(Device::key("key", "1", &Backing::Slow(medium.clone(), SLOW)))?;
        if !infected {
            bench.station.sealing(&lost)?;
        }
        if !kill(bench, "blanche-stationd", moments.u64(0..longest(infected)))? {
            wrong.push("there was no daemon to kill".to_owned());
        }
        let orphans = "[ -z \"$(pgrep -x 'blanche-(reader|matcher|sealer|signer)')\" ]";
        bench.guest.until(orphans, Duration::from_secs(60))?;
        // The key is still there: it is judged and checked anew.
        let again = bench.arrival(|bench| bench.station.start(&mut bench.guest))?;
        let outcome = bench.end(&again)?;
        bench.clear()?;
        let workstation = bench.station.verify(&medium, 512, None)?;
        let is_right =
            if infected { outcome.line["verdict"] == "infected" } else { outcome.line["seal"] == "on-medium" };
        if !is_right {
            wrong.push(outcome.words());
        }
        judge(&outcome, infected, &workstation, &mut wrong)?;
    }
    afterwards(bench, wrong)
}

/// Nothing infected is clean; what is called sealed is accepted.
pub(super) fn judge(outcome: &Outcome, infected: bool, workstation: &str, wrong: &mut Vec<String>) -> Result<()> {
    let words = outcome.words();
    say(&format!("  {words}{}{workstation}", if workstation.is_empty() { "" } else { "; workstation: " }))?;
    let clean = outcome.line["verdict"] == "clean";
    let sealed = outcome.line["seal"] == "on-medium";
    if infected && (clean || sealed || workstation == "accepted") {
        wrong.push(words);
    } else if sealed && workstation != "accepted" {
        wrong.push(format!("{words}; workstation: {workstation}"));
    }
    Ok(())
}

pub(super) fn afterwards(bench: &mut Bench, wrong: Vec<String>) -> Result<String> {
    let wrong = if wrong.is_empty() { "never clean without reason".to_owned() } else { wrong.join(", ") };
    // 51: whole, and no signature proves it up to the last record (docs/exit-codes.md).
    let verify = bench.guest.start("blanche --lang en journal verify")?;
    let verified = bench.guest.finish(&verify, Duration::from_secs(180))?;
    let journal = match verified.code {
        0 | 51 => "journal whole".to_owned(),
        code => format!("journal: {code}, {}", verified.output.trim()),
    };
    let next = image(&bench.folder(), Format::Fat32, Layout::Superfloppy, &letter());
    let next =
        seal(bench, next).map_err(|failure| Failure::format(format!("{wrong}; {journal}; next key: {failure}")))?;
    Ok(format!("{wrong}; {journal}; next key: {next}"))
}
