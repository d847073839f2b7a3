//! From a medium in an input port to a key of the station in an output port.

use super::Case;
use super::media::letter;
use crate::bench::Bench;
use crate::device::{Backing, Device};
use crate::failure::{Failure, Result};
use crate::program::run;
use blanche_tests::{Format, Layout, image};
use serde_json::Value;
use std::fs::File;
use std::path::Path;

pub(super) const CASES: &[Case] = &[Case::new(
    "copy",
    "key, FAT32 in an MBR, in a port for input; blank key in a port for output",
    "clean, sealed; copied, on-medium; workstation: accepted; 3 files and the tag; source: accepted",
    copy,
)];

/// Declares the first two ports of the machine, and keeps what was declared before.
const DECLARE: &str = r#"pci=$(readlink -f /sys/bus/usb/devices/usb1 | sed 's|.*/\([^/]*\)/usb1|\1|')
cp /etc/blanche/blanche.toml /run/blanche.toml
printf 'ports = [{ port = "pci-%s-usb-0:1", role = "input" }, { port = "pci-%s-usb-0:2", role = "output" }]\n' \
    "$pci" "$pci" >>/etc/blanche/blanche.toml"#;

fn copy(bench: &mut Bench) -> Result<String> {
    bench.duty(false)?;
    bench.guest.run(DECLARE)?;
    bench.duty(true)?;
    let seen = copy_with_ports(bench);
    bench.clear()?;
    bench.duty(false)?;
    bench.guest.run("mv /run/blanche.toml /etc/blanche/blanche.toml")?;
    bench.duty(true)?;
    seen
}

fn copy_with_ports(bench: &mut Bench) -> Result<String> {
    let source = image(&bench.folder(), Format::Fat32, Layout::MbrPrimary, &letter());
    let target = bench.folder().join("target.img");
    File::create(&target).and_then(|file| file.set_len(64 << 20)).map_err(Failure::file(&target))?;
    let outcome = bench.check(Device::key("source", "1", &Backing::Image(source.clone())))?;
    let mark = bench.station.mark()?;
    bench.plug(Device::key("target", "2", &Backing::Image(target.clone())))?;
    let line = bench.station.copy(&mut bench.guest, mark)?;
    // As people do: both are looked at elsewhere.
    bench.pull()?;
    bench.pull()?;
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let copy = &line["copy"];
    let mut copied = text(&copy["outcome"]);
    if copied != "copied" {
        copied = format!("{copied} ({})", text(&copy["cause"]));
    }
    Ok(format!(
        "{}; {copied}, {}; workstation: {}; {}; source: {}",
        outcome.words(),
        text(&copy["seal"]),
        bench.station.verify(&target, 512, None)?,
        listed(&bench.folder(), &target)?,
        bench.station.verify(&source, 512, None)?,
    ))
}

/// What mtools finds on a copy.
fn listed(folder: &Path, medium: &Path) -> Result<String> {
    let medium = format!("{}@@1M", medium.display());
    let names = String::from_utf8_lossy(&run(folder, "mdir", ["-/", "-b", "-i", &medium, "::"])?).into_owned();
    let files: Vec<&str> = names.lines().filter(|line| !line.ends_with('/')).collect();
    let tag = files.iter().any(|name| name.ends_with("/blanche.tag"));
    let others = files.len().saturating_sub(usize::from(tag));
    Ok(format!("{others} files {} the tag", if tag { "and" } else { "without" }))
}
