//! Hands that pull, processes that die, disks that fill: never a wrong *Clean*, never a stuck session, nothing left over,
//! the journal is whole, and the next key works. `BLANCHE_SESSIONS` sets the number of sessions (200 unless set), of which a
//! quarter is pulled out, `BLANCHE_KILLS` that of kills, a quarter for each process (200 unless set), `BLANCHE_SEED` the seed.

use crate::distrust::{self, OneSlow};
use crate::kiosk::{KEYBOARD, Kiosk, Others, STORAGE};
use blanche_scan::judge::Verdict;
use blanche_scan::report::Seal;
use blanche_station::board::ProblemKind;
use blanche_station::session::Order;
use blanche_station::session::view::{SessionView, State};
use blanche_tests::tools::run;
use blanche_tests::{Format, Tree, samples};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Processes that this one or its children started, by name.
pub(crate) fn children() -> Vec<(i32, String)> {
    let (own, mut family, mut found) = (std::process::id(), Vec::new(), Vec::new());
    family.push(own.to_string());
    for _ in 0..3 {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
            let (Some(open), Some(close)) = (stat.find('('), stat.rfind(')')) else { continue };
            let mut fields = stat[close + 2..].split(' ');
            let (state, parent) = (fields.next().unwrap_or("Z"), fields.next().unwrap_or("0").to_owned());
            if state != "Z" && family.contains(&parent) && !family.contains(&pid) {
                found.push((pid.parse().unwrap(), stat[open + 1..close].to_owned()));
                family.push(pid);
            }
        }
    }
    found
}

pub(crate) fn kill(pid: i32) {
    // It may have ended meanwhile.
    let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL);
}

/// Bytes of memory of this process that are its own (proc(5), `RssAnon`).
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Images, and the only verdict that each may get besides *Incomplete*.
struct Keys {
    clean: PathBuf,
    infected: PathBuf,
    locked: PathBuf,
}

impl Keys {
    fn new(kiosk: &Kiosk) -> Self {
        let tree = || (0..20u8).fold(Tree::new(), |tree, n| tree.with(format!("f{n}.bin"), vec![n; 200_000]));
        Self {
            clean: kiosk.image("clean", Format::Fat32, &tree()),
            infected: kiosk.image("infected", Format::Fat32, &tree().with("eicar.com", samples::eicar())),
            locked: kiosk.image("locked", Format::Fat32, &tree().with("secret.zip", samples::password_zip())),
        }
    }

    fn choose(&self, random: &mut fastrand::Rng) -> (&Path, Verdict) {
        match random.u8(0..3) {
            0 => (&self.clean, Verdict::Clean),
            1 => (&self.infected, Verdict::Infected),
            _ => (&self.locked, Verdict::Incomplete),
        }
    }
}

fn ended(session: &SessionView) -> bool {
    session.conclusion.is_some()
}

/// What a session may say of an image.
fn assert_honest(session: &SessionView, allowed: Verdict, seed: u64) {
    let verdict = session.conclusion.as_ref().unwrap().verdict();
    assert!(
        verdict == allowed || verdict == Verdict::Incomplete,
        "seed {seed}: {verdict:?} of {allowed:?}: {session:?}"
    );
    if let Some(Seal::OnMedium { .. } | Seal::Detached { .. }) =
        session.report().and_then(|report| report.seal.as_ref())
    {
        assert_eq!((verdict, allowed), (Verdict::Clean, Verdict::Clean), "seed {seed}");
    }
}

/// A key in this socket works as if nothing had happened.
fn assert_works(kiosk: &Kiosk, port: &str, clean: &Path, seed: u64) {
    // Engines that were killed while they were loaded are loaded again after a second.
    kiosk.wait_until("the station is well", |now| now.station.engines.is_some() && now.station.problems.is_empty());
    let device = kiosk.plug(port, clean);
    let session = kiosk.wait(port, "the next key", ended);
    let verdict = session.conclusion.as_ref().unwrap().verdict();
    assert_eq!(verdict, Verdict::Clean, "seed {seed}: {session:?}");
    assert!(matches!(session.report().unwrap().seal, Some(Seal::OnMedium { .. })), "seed {seed}: {session:?}");
    kiosk.unplug(port, &device);
    kiosk.assert_journal_whole();
}

#[test]
fn hundreds_of_sessions_with_random_faults_leave_nothing_behind() {
    let (seed, sessions) = (number("BLANCHE_SEED", 1), number("BLANCHE_SESSIONS", 200));
    println!("seed {seed}, {sessions} sessions");
    let mut random = fastrand::Rng::with_seed(seed);
    let kiosk = Kiosk::among(Others::away());
    // Whoever loses its parent becomes a child of this process, and is found among its children (prctl(2)).
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let keys = Keys::new(&kiosk);
    let (mut before, mut pulled) = (Rest::default(), 0);
    for number in 0..sessions {
        let port = format!("p{number}");
        let (image, allowed) = keys.choose(&mut random);
        let fault = random.u8(0..8);
        let device = match fault {
            0 => kiosk.plug_as(&port, &[STORAGE, KEYBOARD], &[image]),
            _ => kiosk.plug(&port, image),
        };
        std::thread::sleep(Duration::from_millis(random.u64(0..150)));
        if matches!(fault, 1 | 2 | 5) {
            // What goes or changes before the gate has let it in gets no session of its own.
            kiosk.wait(&port, "a session", |_| true);
        }
        match fault {
            1 | 5 => {
                pulled += 1;
                kiosk.sockets.remove(&device);
            }
            2 => kiosk.sockets.change(&device, &blanche_station::detect::simulated::descriptors_of(1, 2, &[KEYBOARD])),
            3 => {
                let session = kiosk.wait(&port, "a session", |_| true);
                // Too late when it has ended already.
                let _ = kiosk.daemon.orders.give(Order::Cancel(session.id));
            }
            4 => {
                if let Some((pid, name)) = random.choice(children()) {
                    println!("session {number}: {name} killed");
                    kill(pid);
                }
            }
            _ => {}
        }
        let of_the_medium = |session: &SessionView| ended(session) && (fault != 2 || session.state != State::Refused);
        println!("session {number}: fault {fault}");
        if fault == 0 {
            assert_eq!(kiosk.verdict(&port).0, Verdict::Refused);
        } else if fault != 2 {
            assert_honest(&kiosk.wait(&port, "an end", of_the_medium), allowed, seed);
        } else {
            kiosk.wait(&port, "refused", |session| session.state == State::Refused);
        }
        kiosk.unplug(&port, &device);
        // The station is warm after a few sessions.
        if number == sessions / 4 {
            assert_works(&kiosk, "warm", &keys.clean, seed);
            before = Rest::of(&kiosk, usize::MAX);
        }
    }
    assert_works(&kiosk, "last", &keys.clean, seed);
    let after = Rest::of(&kiosk, before.engines);
    println!("{pulled} pulled out; memory {} -> {} KiB", before.memory >> 10, after.memory >> 10);
    println!(
        "descriptors {} -> {}, engines {} -> {}",
        before.descriptors, after.descriptors, before.engines, after.engines
    );
    assert!(pulled >= sessions / 6, "seed {seed}: only {pulled} of {sessions} were pulled out");
    assert!(after.memory < before.memory + (32 << 20), "memory grows: {before:?} -> {after:?}");
    assert!(after.descriptors <= before.descriptors + 4, "descriptors leak: {before:?} -> {after:?}");
    let left: Vec<_> = after.files.difference(&before.files).collect();
    assert!(left.is_empty(), "left over: {left:?}");
    rustix::process::set_child_subreaper(None).unwrap();
    assert_eq!(kiosk.closed().len(), usize::try_from(sessions).unwrap() + 2 + refused_again(&kiosk));
}

/// What a station holds when nothing is in a socket.
#[derive(Debug, Default)]
struct Rest {
    memory: u64,
    descriptors: usize,
    /// Processes that have the engines loaded.
    engines: usize,
    /// Names in its folders, without those that are there to grow: journal and tags; and what is in the folder for temporary files.
    files: BTreeSet<PathBuf>,
}

impl Rest {
    /// Waits until no child but the engines is left, and not more of these than `engines`: the signer of the last checkpoint ends with
    /// it, a moment after the session.
    fn of(kiosk: &Kiosk, engines: usize) -> Self {
        let until = Instant::now() + Duration::from_secs(60);
        let (mut last, mut since) = (Vec::new(), Instant::now());
        // The same for a while: what is ending is none of it.
        while since.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
            let now = children();
            let is_rest = now.len() <= engines && now.iter().all(|(_, name)| name == "blanche-matcher");
            if !is_rest || now != last {
                (last, since) = (now, Instant::now());
            }
            assert!(Instant::now() < until, "{last:?}");
        }
        let engines = last.len();
        let mut files = names(kiosk.folder.path());
        files.retain(|path| {
            !path.starts_with(&kiosk.journal) && !path.components().any(|part| part.as_os_str() == "tags")
        });
        let temporary = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|entry| entry.path());
        // Desks are those of the kiosk's tests, which may run at the same time, as `blanche-e2e` may; a matcher's place is there as long as
        // the matcher.
        let of_a_station = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("blanche") && !["desk", "e2e", "matcher"].iter().any(|other| name.contains(other))
        };
        files.extend(temporary.filter(of_a_station));
        Self { memory: memory(), descriptors: descriptors(), engines, files }
    }
}

/// Everything in a folder.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            all.extend(names(&entry.path()));
        }
        all.insert(entry.path());
    }
    all
}

/// A device that changed has two sessions: the one of its medium, and the one that says why it is refused.
fn refused_again(kiosk: &Kiosk) -> usize {
    let mut seen = std::collections::BTreeMap::new();
    for (session, verdict) in kiosk.closed() {
        *seen.entry(session).or_insert(0) += 1;
        assert!(["clean", "infected", "incomplete", "refused"].contains(&verdict.as_str()));
    }
    assert!(seen.values().all(|times| *times == 1), "a session was closed twice");
    kiosk.changed()
}

/// Kills the process of this name in one session after the other, so many times while it lives.
fn each_may_be_killed(name: &str) {
    let (seed, kills) = (number("BLANCHE_SEED", 1), number("BLANCHE_KILLS", 200).div_ceil(4));
    println!("seed {seed}, {kills} kills of {name}");
    let mut random = fastrand::Rng::with_seed(seed);
    let kiosk = Kiosk::among(Others::away());
    let keys = Keys::new(&kiosk);
    let (mut killed, mut younger, mut sessions) = (0, 0, 0);
    let works_with_a_zygote = name == "blanche-matcher";
    // The longest wait before the blow. Who works at the end lives for tenths of a second only, the signer for less.
    let works_at_the_end = matches!(name, "blanche-sealer" | "blanche-signer");
    let (mut longest, mut brief) = (if works_at_the_end { 40 } else { 400 }, 40);
    while killed < kills {
        assert!(sessions < kills * 20 + 20, "seed {seed}: {killed} kills of {name} in {sessions} sessions");
        let port = format!("p{sessions}");
        sessions += 1;
        // Only a clean key is sealed.
        let (image, allowed) =
            if works_at_the_end { (keys.clean.as_path(), Verdict::Clean) } else { keys.choose(&mut random) };
        let device = kiosk.plug(&port, image);
        let session = || kiosk.wait(&port, "a session", |_| true);
        let alive = || {
            let of_that_name = children().into_iter().filter(|(_, child)| child == name);
            of_that_name.map(|(pid, _)| pid).collect::<BTreeSet<_>>()
        };
        // The zygote, which has the name of its matchers, is older than they and lives as long as the station: every second blow is for
        // one of them.
        let (oldest, wait) = if works_with_a_zygote && sessions % 2 == 0 { (1, &mut brief) } else { (0, &mut longest) };
        while alive().len() <= oldest && session().conclusion.is_none() {}
        std::thread::sleep(Duration::from_millis(random.u64(0..*wait)));
        match random.choice(alive().into_iter().enumerate().skip(oldest)) {
            Some((age, pid)) => {
                kill(pid);
                killed += 1;
                younger += u64::from(age > 0);
            }
            None => *wait = (*wait * 3 / 4).max(1),
        }
        assert_honest(&kiosk.wait(&port, "an end", ended), allowed, seed);
        kiosk.unplug(&port, &device);
    }
    println!("{sessions} sessions, {younger} times another than the oldest of that name");
    assert!(!works_with_a_zygote || younger >= kills / 4, "seed {seed}: {younger} of {kills} were not the zygote");
    assert_works(&kiosk, "last", &keys.clean, seed);
}

#[test]
fn the_reader_may_be_killed_at_any_moment() {
    each_may_be_killed("blanche-reader");
}

#[test]
fn zygote_and_matchers_may_be_killed_at_any_moment() {
    each_may_be_killed("blanche-matcher");
}

#[test]
fn the_sealer_may_be_killed_at_any_moment() {
    each_may_be_killed("blanche-sealer");
}

#[test]
fn the_signer_may_be_killed_at_any_moment() {
    each_may_be_killed("blanche-signer");
}

#[test]
fn a_daemon_that_ends_during_a_session_says_so_and_the_next_one_goes_on() {
    let kiosk = Kiosk::with_gate(Others::welcome(), OneSlow);
    let keys = Keys::new(&kiosk);
    kiosk.plug("slow", &kiosk.image("slow", Format::Fat32, &distrust::tree()));
    let session = kiosk.wait("slow", "checking", |session| session.progress.is_some());
    let kiosk = kiosk.restart();
    assert!(kiosk.closed().contains(&(session.id.to_string(), "incomplete".into())), "{:?}", kiosk.closed());
    assert_works(&kiosk, "p1", &keys.clean, 0);
}

#[test]
fn a_full_disk_stops_sealing_loses_nothing_and_sealing_goes_on_when_there_is_room() {
    let others = Others::welcome();
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    run(folder.path(), "mount", ["-t", "tmpfs", "-o", "size=2m,mode=0700", "none", small.to_str().unwrap()]);
    let kiosk = Kiosk::with_journal(others, folder, small.join("journal"));
    let keys = Keys::new(&kiosk);
    assert_works(&kiosk, "p1", &keys.clean, 0);
    let ballast = small.join("ballast");
    fill(&ballast);
    let device = kiosk.plug("p2", &keys.clean);
    let session = kiosk.wait("p2", "an end", ended);
    let station = kiosk.daemon.board.snapshot().station;
    assert!(station.problems.iter().any(|problem| problem.kind == ProblemKind::Journal), "{:?}", station.problems);
    assert!(matches!(session.report().unwrap().seal, Some(Seal::NoTag { .. })), "{session:?}");
    std::fs::remove_file(&ballast).unwrap();
    kiosk.unplug("p2", &device);
    kiosk.wait_until("the journal is written again", |now| now.station.problems.is_empty());
    assert!(kiosk.closed().iter().any(|(closed, _)| *closed == session.id.to_string()), "nothing is lost");
    assert_works(&kiosk, "p3", &keys.clean, 0);
    let folder = small.to_str().unwrap().to_owned();
    drop(kiosk);
    run(Path::new("/"), "umount", ["-l", &folder]);
}

/// Writes until there is no room.
fn fill(file: &Path) {
    use std::io::Write;
    let mut ballast = std::fs::File::create(file).unwrap();
    for size in [4096, 1] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn the_next_session_does_not_notice_that_the_engines_died_in_between() {
    let kiosk = Kiosk::among(Others::away());
    let keys = Keys::new(&kiosk);
    assert_works(&kiosk, "p1", &keys.clean, 0);
    let engines: Vec<_> = children().into_iter().filter(|(_, name)| name == "blanche-matcher").collect();
    assert!(!engines.is_empty(), "{:?}", children());
    for (pid, _) in &engines {
        kill(*pid);
    }
    // What is being ended holds much memory, and lives until that is let go.
    kiosk.wait_until("they are dead", |_| children().iter().all(|child| !engines.contains(child)));
    assert_works(&kiosk, "p2", &keys.clean, 0);
}

#[test]
fn engines_that_die_again_while_they_are_replaced_come_back_without_another_medium() {
    let kiosk = Kiosk::among(Others::away());
    let keys = Keys::new(&kiosk);
    let engines = || -> Vec<_> { children().into_iter().filter(|(_, name)| name == "blanche-matcher").collect() };
    assert_works(&kiosk, "p1", &keys.clean, 0);
    let first = engines();
    first.iter().for_each(|(pid, _)| kill(*pid));
    kiosk.wait_until("they are dead", |_| engines().iter().all(|child| !first.contains(child)));
    let device = kiosk.plug("p2", &keys.clean);
    // Those that the session has loaded.
    kiosk.wait_until("others are loaded", |_| !engines().is_empty());
    engines().iter().for_each(|(pid, _)| kill(*pid));
    let session = kiosk.wait("p2", "an end", ended);
    assert_eq!(session.conclusion.as_ref().unwrap().verdict(), Verdict::Incomplete, "{session:?}");
    kiosk.unplug("p2", &device);
    assert_works(&kiosk, "p3", &keys.clean, 0);
}
