//! A D-Bus of a test's own: Debian's `dbus-daemon`, and `busctl` of systemd as a client that is not ours.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A message bus that ends with the test.
#[derive(Debug)]
pub struct PrivateBus {
    folder: TempDir,
    configuration: Option<PathBuf>,
    daemon: Option<Child>,
}

impl PrivateBus {
    /// A bus on which everybody may do everything.
    ///
    /// # Panics
    /// When `dbus-daemon` does not start.
    #[must_use]
    pub fn start() -> Self {
        let mut bus = Self { folder: tempfile::tempdir().expect("a folder"), configuration: None, daemon: None };
        bus.restart();
        bus
    }

    /// A bus with the rights of a system bus, and the rules of `policy` on top (dbus-daemon(1), "CONFIGURATION FILE").
    ///
    /// # Panics
    /// When `dbus-daemon` does not start or its folder cannot be opened to other users.
    #[must_use]
    pub fn with_policy(policy: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        // Clients of the test run as other users.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("our folder");
        let configuration = folder.path().join("bus.conf");
        let text = format!(
            r#"<busconfig>
  <type>system</type>
  <listen>unix:path=/nonexistent</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <include>{}</include>
</busconfig>
"#,
            policy.display()
        );
        std::fs::write(&configuration, text).expect("our folder");
        let mut bus = Self { folder, configuration: Some(configuration), daemon: None };
        bus.restart();
        bus
    }

    /// Its address; the same after each start.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// Ends it, as a bus that crashes.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().expect("our child");
            daemon.wait().expect("our child");
        }
    }

    /// Starts it again, at the same address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop();
        let _ = std::fs::remove_file(self.folder.path().join("bus"));
        let mut command = Command::new("dbus-daemon");
        match &self.configuration {
            Some(file) => command.arg(format!("--config-file={}", file.display())),
            None => command.arg("--session"),
        };
        command.args(["--nofork", "--nopidfile", "--nosyslog", "--print-address"]);
        let log = File::create(self.folder.path().join("log")).expect("our folder");
        let started = command.arg(format!("--address={}", self.address())).stdout(Stdio::piped()).stderr(log).spawn();
        let mut daemon = started.expect("dbus-daemon is installed (package dbus): run make deps-test");
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().expect("a pipe")).read_line(&mut line).expect("its address");
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(line.starts_with(&self.address()), "dbus-daemon said {line:?}: {}", log());
        self.daemon = Some(daemon);
    }

    /// The process of the bus.
    ///
    /// # Panics
    /// When it was stopped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a running bus").id()
    }

    /// Asks systemd's client.
    ///
    /// # Panics
    /// When `busctl` is not there.
    #[must_use]
    pub fn busctl(&self, arguments: &[&str]) -> Output {
        self.busctl_as(&[], arguments)
    }

    /// The same as somebody else: `who` are arguments of setpriv(1), which needs root.
    ///
    /// # Panics
    /// When `busctl` or `setpriv` is not there.
    #[must_use]
    pub fn busctl_as(&self, who: &[&str], arguments: &[&str]) -> Output {
        let mut command = Command::new(if who.is_empty() { "busctl" } else { "setpriv" });
        if !who.is_empty() {
            command.args(who).arg("busctl");
        }
        command.arg(format!("--address={}", self.address())).args(arguments).stdin(Stdio::null());
        command.output().expect("busctl is installed (package systemd): run make deps-test")
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.stop();
    }
}
