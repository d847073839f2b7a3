//! The host's files for a machine that sleeps: 9P by a server of the host, over a network that leads nowhere else.
//!
//! Over virtio, as the other machine has them, they would be gone after a sleep: that driver has nothing to restore its device with
//! (Linux 6.1, net/9p/trans_virtio.c; virtio_device_restore resets it).

use crate::failure::{Failure, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Between its start and its socket.
const START: Duration = Duration::from_secs(30);
/// Where the guest finds them: for each connection one port, since QEMU passes on one only.
const ADDRESS: &str = "10.0.2.100";
const PORTS: [u16; 2] = [564, 565];

/// A server, ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Files {
    child: Child,
    socket: PathBuf,
}

impl Files {
    /// Starts one, with its socket and log in `folder`.
    pub(crate) fn serve(folder: &Path) -> Result<Self> {
        let (socket, log) = (folder.join("files"), folder.join("diod"));
        let log = File::create(&log).map_err(Failure::file(&log))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "diod", "--foreground", "--no-auth", "--config-file", "/dev/null"]);
        command.args(["--logdest", "stderr", "--export", "/", "--listen"]).arg(&socket);
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(Failure::host("diod"))?;
        let files = Self { child, socket };
        let start = Instant::now();
        while !files.socket.exists() {
            if start.elapsed() >= START {
                return Err(Failure::late("the socket of diod", START));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(files)
    }

    /// What QEMU needs for it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut network = "user,id=files,restrict=on".to_owned();
        let mut arguments = Vec::new();
        for port in PORTS {
            network.push_str(&format!(",guestfwd=tcp:{ADDRESS}:{port}-chardev:files{port}"));
            arguments.push("-chardev".to_owned());
            arguments.push(format!("socket,id=files{port},path={}", self.socket.display()));
        }
        arguments.extend(["-netdev".to_owned(), network]);
        arguments.extend(["-device", "virtio-net-pci,netdev=files"].map(str::to_owned));
        arguments
    }

    /// What the guest must know: the second folder is `share`.
    pub(crate) fn line(share: &Path) -> String {
        let [root, second] = PORTS;
        format!("e2e.server={ADDRESS} e2e.root={root} e2e.share={second} e2e.folder={}", share.display())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
