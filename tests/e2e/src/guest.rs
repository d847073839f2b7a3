//! The machine: QEMU as a child, its two sockets, a folder that both sides see.

use crate::agent::{Agent, Answer, Job, PORT};
use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::initramfs;
use crate::kernel::Kernel;
use crate::qmp::Qmp;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// QEMU listens on its sockets.
const START: Duration = Duration::from_secs(30);
/// From there to the agent. Sixteen to thirty seconds were seen on a busy machine without hardware virtualisation.
const BOOT: Duration = Duration::from_secs(180);
/// A command that only looks, or works for some seconds.
const LOOK: Duration = Duration::from_secs(180);

/// What every machine gets: scripts, and the files that the packages install.
const SCRIPTS: [(&str, &str); 21] = [
    ("gadget", include_str!("../guest/gadget")),
    ("install", include_str!("../guest/install")),
    ("jack", include_str!("../guest/jack")),
    ("kiosk", include_str!("../guest/kiosk")),
    ("matrix", include_str!("../guest/matrix")),
    ("prepare", include_str!("../guest/prepare")),
    ("systemd", include_str!("../guest/systemd")),
    ("station", include_str!("../guest/station")),
    ("60-blanche-station.rules", include_str!("../../../debian/blanche-station.udev")),
    ("70-blanche-kiosk.rules", include_str!("../../../debian/blanche-kiosk.udev")),
    ("blanche-kiosk.service", include_str!("../../../debian/blanche-kiosk.service")),
    ("blanche-kiosk-again.service", include_str!("../../../debian/blanche-kiosk-again.service")),
    ("blanche-kiosk.logind.conf", include_str!("../../../debian/blanche-kiosk.logind.conf")),
    ("blanche-kiosk.system.conf", include_str!("../../../debian/blanche-kiosk.system.conf")),
    ("blanche-kiosk.links", include_str!("../../../debian/blanche-kiosk.links")),
    ("blanche-kiosk.speechd.conf", include_str!("../../../debian/blanche-kiosk.speechd.conf")),
    ("blanche-kiosk.sysctl", include_str!("../../../debian/blanche-kiosk.sysctl")),
    ("blanche-stationd.service", include_str!("../../../debian/blanche-stationd.service")),
    ("blanche.sysusers", include_str!("../../../debian/blanche.sysusers")),
    ("blanche.tmpfiles", include_str!("../../../debian/blanche.tmpfiles")),
    ("org.blanche.Station1.conf", include_str!("../../../debian/org.blanche.Station1.conf")),
];

/// Which program is the first of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// A script: udev and the agent, nothing else.
    Matrix,
    /// systemd, with units, on a machine with a screen.
    Systemd,
    /// The same without a screen, on a machine that can sleep: the kernel's driver for QEMU's graphics card does not survive that
    /// (virtio_gpu, Linux 6.1).
    Sleepy,
}

/// A running machine; dropping it ends it.
#[derive(Debug)]
pub struct Guest {
    folder: tempfile::TempDir,
    child: Child,
    agent: Agent,
    qmp: Qmp,
    booted: Duration,
    first: First,
    _files: Option<Files>,
}

impl Guest {
    /// Starts a machine and waits for its agent. `agent` is the program `blanche-e2e-agent`.
    ///
    /// # Errors
    /// [`Failure`], with the tail of what the machine said.
    pub fn boot(kernel: &Kernel, first: First, agent: &Path) -> Result<Self> {
        let begin = Instant::now();
        let folder = tempfile::Builder::new().prefix("blanche-e2e-").tempdir();
        let folder = folder.map_err(Failure::host("a temporary folder"))?;
        let share = folder.path().join("share");
        equip(&share, agent)?;
        initramfs::write(kernel, &folder.path().join("initramfs"))?;
        let files = (first == First::Sleepy).then(|| Files::serve(folder.path())).transpose()?;
        let mut command = qemu(folder.path(), kernel, first, files.as_ref());
        let child = command.spawn().map_err(Failure::host("qemu-system-x86_64"))?;
        let mut child = Ended(Some(child));
        let connected = Qmp::connect(&folder.path().join("qmp"), START)
            .and_then(|qmp| Ok((qmp, Agent::connect(&folder.path().join("agent"), START)?)))
            .and_then(|(qmp, mut agent)| agent.hello(BOOT).map(|_| (qmp, agent)));
        let (qmp, agent) = connected.map_err(|failure| with_logs(failure, folder.path()))?;
        let child = child.0.take().ok_or_else(|| Failure::format("the machine is gone"))?;
        Ok(Self { folder, child, agent, qmp, booted: begin.elapsed(), first, _files: files })
    }

    /// From the start of QEMU to the agent's first word.
    #[must_use]
    pub fn boot_time(&self) -> Duration {
        self.booted
    }

    /// Its first process.
    #[must_use]
    pub fn first(&self) -> First {
        self.first
    }

    /// The shared folder, as the host sees it.
    #[must_use]
    pub fn share(&self) -> PathBuf {
        self.folder.path().join("share")
    }

    /// Waits until the serial console has said `words`, behind its first `after` bytes.
    ///
    /// # Errors
    /// [`Failure::Late`] when it does not within `limit`.
    pub fn console(&self, after: usize, words: &str, limit: Duration) -> Result<()> {
        let start = Instant::now();
        while !self.said().get(after..).is_some_and(|said| String::from_utf8_lossy(said).contains(words)) {
            if start.elapsed() >= limit {
                return Err(Failure::late(format!("\"{words}\" on the console"), limit));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Everything that the serial console has said.
    #[must_use]
    pub fn said(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("serial")).unwrap_or_default()
    }

    /// QEMU's monitor.
    pub fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// Folder of the machine, for sockets and images that live as long as it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a line of shell that must succeed and be quick; returns what it printed.
    ///
    /// # Errors
    /// [`Failure::Guest`] when it fails, [`Failure::Late`] when it takes too long.
    pub fn run(&mut self, command: &str) -> Result<String> {
        let job = self.start(command)?;
        let answer = self.finish(&job, LOOK)?;
        job.succeeded(answer)
    }

    /// Starts a line of shell.
    ///
    /// # Errors
    /// [`Failure`] when the machine is gone.
    pub fn start(&mut self, command: &str) -> Result<Job> {
        self.agent.start(command)
    }

    /// Whether it has ended within `limit`, and how.
    ///
    /// # Errors
    /// [`Failure`] when the machine is gone.
    pub fn poll(&mut self, job: &Job, limit: Duration) -> Result<Option<Answer>> {
        self.agent.poll(job, limit)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`Failure::Late`] when it does not end within `limit`.
    pub fn finish(&mut self, job: &Job, limit: Duration) -> Result<Answer> {
        self.agent.finish(job, limit)
    }

    /// Waits until the shell's `condition` holds.
    ///
    /// # Errors
    /// [`Failure::Late`] when it does not within `limit`.
    pub fn until(&mut self, condition: &str, limit: Duration) -> Result<()> {
        let job = self.start(&format!("until {condition}; do sleep 0.1; done"))?;
        match self.poll(&job, limit)? {
            Some(_) => Ok(()),
            None => Err(Failure::late(format!("`{condition}` in the guest"), limit)),
        }
    }

    /// What the machine said last: its serial console, QEMU's messages and events, the kernel's newest lines.
    pub fn logs(&mut self) -> String {
        let mut text = tails(self.folder.path());
        for log in ["stationd", "watch", "kiosk", "errors"] {
            let bytes = fs::read(self.share().join("log").join(log)).unwrap_or_default();
            let lines = String::from_utf8_lossy(&bytes).into_owned();
            let lines: Vec<&str> = lines.lines().collect();
            let _ = writeln!(text, "--- {log}\n{}", lines[lines.len().saturating_sub(12)..].join("\n"));
        }
        for event in self.qmp.events().iter().rev().take(10).rev() {
            let _ = writeln!(text, "QMP: {event}");
        }
        let kernel = self.run("dmesg | tail -n 25");
        let _ = writeln!(text, "--- kernel\n{}", kernel.unwrap_or_else(|failure| failure.to_string()));
        text
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A child that does not outlive a failed start.
struct Ended(Option<Child>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

fn end(child: &mut Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// The shared folder with what the guest needs at its start.
fn equip(share: &Path, agent: &Path) -> Result<()> {
    let guest = share.join("guest");
    fs::create_dir_all(&guest).map_err(Failure::file(&guest))?;
    for (name, text) in SCRIPTS {
        let path = guest.join(name);
        fs::write(&path, text).map_err(Failure::file(&path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(Failure::file(&path))?;
    }
    fs::copy(agent, guest.join("agent")).map_err(Failure::file(agent))?;
    Ok(())
}

/// `/dev/kvm` alone says nothing: it may be there on processors that cannot use it.
fn accelerator() -> [&'static str; 4] {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let virtualises = flags.split_whitespace().any(|flag| flag == "vmx" || flag == "svm");
    if virtualises && OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok() {
        ["-accel", "kvm", "-cpu", "host"]
    } else {
        // Newer processors cost the emulation more.
        ["-accel", "tcg,thread=multi", "-cpu", "Nehalem"]
    }
}

fn qemu(folder: &Path, kernel: &Kernel, first: First, files: Option<&Files>) -> Command {
    let modules = kernel.root.join("lib/modules").join(&kernel.release);
    let on_screen = first == First::Systemd;
    let first = match first {
        First::Matrix => "/run/e2e/guest/matrix",
        First::Systemd | First::Sleepy => "/run/e2e/guest/systemd",
    };
    // Under load a guest that trusts its time stamp counter runs more than twice too fast, and one that tests its timer at the
    // start may miss it. The second that usb-storage waits before it looks for units is only time here, thirty times.
    let line = format!(
        "console=ttyS0 panic=-1 nokaslr mitigations=off tsc=unstable clocksource=hpet no_timer_check \
         usb-storage.delay_use=0 usbcore.authorized_default=2 quiet loglevel=4 net.ifnames=0 \
         mem_sleep_default=s2idle no_console_suspend e2e.modules={} e2e.first={first} {}",
        modules.display(),
        files.map(|_| Files::line(&folder.join("share"))).unwrap_or_default(),
    );
    let at = |name: &str| folder.join(name).display().to_string();
    // The machine ends with whoever started it, however that ends.
    let mut command = Command::new("setpriv");
    // One processor each: the emulation of two that wait for each other on a busy machine takes two and a half times the time.
    command
        .args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
        .args(accelerator())
        .args("-M q35 -smp 1 -m 1536 -nodefaults -display none -no-reboot".split(' '));
    command.arg("-kernel").arg(&kernel.vmlinux).args(["-initrd", &at("initramfs"), "-append", &line]);
    command.args(["-serial", &format!("file:{}", at("serial"))]);
    command.args(["-qmp", &format!("unix:{},server=on,wait=off", at("qmp"))]);
    command.args(["-device", "qemu-xhci,id=xhci,p2=8,p3=8", "-device", "virtio-rng-pci"]);
    command.args(["-chardev", &format!("socket,id=agent,path={},server=on,wait=off", at("agent"))]);
    command.args(["-device", "virtio-serial-pci", "-device", &format!("virtserialport,chardev=agent,name={PORT}")]);
    let share = |path: &str, tag: &str, more: &str| {
        format!("local,path={path},mount_tag={tag},security_model=none,multidevs=remap{more}")
    };
    match files {
        Some(files) => _ = command.args(files.arguments()),
        None => {
            command.args(["-virtfs", &share(&at("share"), "e2e", "")]);
            command.args(["-virtfs", &share("/", "hostroot", ",readonly=on")]);
        }
    }
    if on_screen {
        // A graphics card without acceleration, and a sound card whose sound is a file.
        command.args(["-device", "virtio-gpu-pci,xres=1280,yres=800"]);
        command.args(["-audiodev", &format!("wav,id=sound,path={}", at("sound.wav"))]);
        command.args(["-device", "intel-hda", "-device", "hda-output,audiodev=sound"]);
    }
    let log = File::create(folder.join("qemu"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(log.map_or_else(|_| Stdio::inherit(), Stdio::from));
    command
}

fn with_logs(failure: Failure, folder: &Path) -> Failure {
    Failure::format(format!("{failure}\n{}", tails(folder)))
}

/// The last lines of the logs in the machine's folder.
fn tails(folder: &Path) -> String {
    let mut text = String::new();
    for (name, log) in [("serial console", "serial"), ("QEMU", "qemu")] {
        let bytes = fs::read(folder.join(log)).unwrap_or_default();
        let lines = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = lines.lines().collect();
        let _ = writeln!(text, "--- {name}\n{}", lines[lines.len().saturating_sub(25)..].join("\n"));
    }
    text
}
