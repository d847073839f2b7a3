//! A display without a screen: sway with its headless backend, drawn by the processor; `grim` takes pictures, `wtype` presses
//! keys, a client of its own is the pointer.

use super::pointer::{Hand, Pointer};
use super::{Desk, SOON, Surroundings, eventually};
use crate::picture::Picture;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

/// A screen in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
}

impl Size {
    /// The smallest screen that a kiosk has.
    pub const LANDSCAPE: Self = Self { width: 1280, height: 800 };
    /// A large screen that stands upright.
    pub const PORTRAIT: Self = Self { width: 1080, height: 1920 };
}

#[derive(Debug)]
pub(super) struct Display {
    compositor: Child,
    keyboard: Child,
    hand: Mutex<Hand>,
    /// Name of the display's socket.
    wayland: String,
    /// The socket by which the compositor is asked.
    control: PathBuf,
}

impl Display {
    pub(super) fn start(surroundings: &Surroundings, size: Size) -> Self {
        let settings = surroundings.folder.join("sway.conf");
        let Size { width, height } = size;
        // Nothing of a desktop: one window over everything. The colour behind it is one that the kiosk never has.
        let text = format!(
            "output HEADLESS-1 resolution {width}x{height} position 0 0\n\
             default_border none\nfocus_follows_mouse no\nxwayland disable\nseat * hide_cursor 50\n"
        );
        fs::write(&settings, text).expect("our folder");
        let mut command = surroundings.command(Path::new("sway"));
        command.arg("--config").arg(&settings).env("WLR_BACKENDS", "headless").env("WLR_RENDERER", "pixman");
        command.env("WLR_LIBINPUT_NO_DEVICES", "1").stdout(Stdio::null()).stderr(surroundings.log("sway"));
        let compositor = command.spawn().expect("sway is installed: run make deps-test");
        let run = surroundings.folder.join("run");
        let (wayland, control) = eventually("the display has its sockets", || sockets(&run));
        // A seat without a keyboard gives no window the focus: one lies there all the time, and nobody presses its keys.
        let mut command = surroundings.command(Path::new("wtype"));
        // In milliseconds; no more than 4 294 967 at once (its microseconds have 32 bits), for a day.
        command.args(["-s", "4000000"].repeat(22)).env("WAYLAND_DISPLAY", &wayland);
        let keyboard = command.spawn().expect("wtype is installed: run make deps-test");
        let hand = Mutex::new(Hand::on(&run.join(&wayland), size));
        Self { compositor, keyboard, hand, wayland, control }
    }

    pub(super) fn variables(&self) -> [(&'static str, String); 2] {
        [("WAYLAND_DISPLAY", self.wayland.clone()), ("SWAYSOCK", self.control.display().to_string())]
    }

    pub(super) fn end(&self) {
        kill_process(Pid::from_child(&self.compositor), Signal::KILL).expect("our child");
    }

    pub(super) fn reap(&mut self) {
        let _ = self.keyboard.wait();
        let _ = self.compositor.wait();
    }

    pub(super) fn keys(&self, desk: &Desk, names: &[&str]) {
        let mut command = desk.command(Path::new("wtype"));
        // The first press may be lost while a new keyboard is announced.
        command.args(["-s", "60"]);
        for name in names {
            match name.split_once('+') {
                Some((modifier, key)) => command.args(["-M", modifier, "-k", key, "-m", modifier]),
                None => command.args(["-k", name]),
            };
            command.args(["-s", "60"]);
        }
        done(&mut command);
    }

    pub(super) fn pointer(&self, what: Pointer) {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner).does(what);
    }

    pub(super) fn picture(&self, desk: &Desk, part: Option<[usize; 4]>) -> Picture {
        let mut command = desk.command(Path::new("grim"));
        if let Some([left, top, width, height]) = part {
            command.args(["-g", &format!("{left},{top} {width}x{height}")]);
        }
        Picture::from_ppm(&done(command.args(["-t", "ppm", "-"])).stdout)
    }

    pub(super) fn save(&self, desk: &Desk, file: &Path) {
        let png = done(desk.command(Path::new("grim")).args(["-t", "png", "-l", "1", "-"])).stdout;
        fs::write(file, png).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    pub(super) fn windows(&self, desk: &Desk) -> Vec<String> {
        let output = done(desk.command(Path::new("swaymsg")).args(["-t", "get_tree"]));
        let tree: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the compositor's tree");
        let mut found = Vec::new();
        collect(&tree, &mut found);
        found
    }
}

fn collect(node: &serde_json::Value, found: &mut Vec<String>) {
    if node["pid"].is_u64() {
        found.push(node["name"].as_str().unwrap_or_default().to_owned());
    }
    for inner in ["nodes", "floating_nodes"].iter().filter_map(|key| node[key].as_array()).flatten() {
        collect(inner, found);
    }
}

fn sockets(run: &Path) -> Option<(String, PathBuf)> {
    let names: Vec<String> =
        fs::read_dir(run).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let wayland = names.iter().find(|name| name.starts_with("wayland-") && !name.ends_with(".lock"))?;
    let control = names.iter().find(|name| name.starts_with("sway-ipc."))?;
    Some((wayland.clone(), run.join(control)))
}

/// Runs a small program to its end.
fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: run make deps-test"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said} (within {SOON:?})", output.status);
    output
}
