//! Pictures of everything that the kiosk can show: `kiosk-pictures FOLDER [SET ...]`, where a set is a language, a mode and a screen such as
//! `fr-large-portrait`; all of them without one. A page shows them all. Desks stand side by side: most of the time each waits.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool for people who look at pictures")]

use blanche_kiosk_tests::tour::{Set, Tour, VIEWS};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Desks at a time.
const DESKS: usize = 3;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else { return ExitCode::from(2) };
    let (folder, wanted): (&Path, Vec<String>) = (Path::new(&folder), arguments.collect());
    if let Some(unknown) = wanted.iter().find(|name| Set::all().iter().all(|set| set.name() != **name)) {
        let names: Vec<String> = Set::all().iter().map(Set::name).collect();
        println!("{unknown} is no set of pictures; there are {}", names.join(" "));
        return ExitCode::from(2);
    }
    let sets: Vec<Set> =
        Set::all().into_iter().filter(|set| wanted.is_empty() || wanted.contains(&set.name())).collect();
    std::fs::create_dir_all(folder).expect("a writable folder");
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..DESKS.min(sets.len()) {
            scope.spawn(|| {
                while let Some(set) = sets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    take(folder, *set);
                }
            });
        }
    });
    std::fs::write(folder.join("index.html"), page(&sets)).expect("a writable folder");
    println!("{}", folder.join("index.html").display());
    ExitCode::SUCCESS
}

fn take(folder: &Path, set: Set) {
    let mut tour = Tour::new(set.size, set.language, set.mode);
    for view in VIEWS {
        tour.go(view);
        tour.desk.save_picture(&folder.join(file(set, view.name)));
    }
    println!("{}: {} pictures", set.name(), VIEWS.len());
}

fn file(set: Set, view: &str) -> String {
    format!("{}-{view}.png", set.name())
}

fn page(sets: &[Set]) -> String {
    let mut page = String::from("<!DOCTYPE html><meta charset=utf-8><title>Blanche: the kiosk</title>\n");
    page.push_str("<style>body{font-family:sans-serif}img{width:24em;border:1px solid;margin:.2em}</style>\n");
    for set in sets {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<h2>{}</h2>", set.name());
        for view in VIEWS {
            let _ = writeln!(page, "<img src={:?} alt={1:?} title={1:?}>", file(*set, view.name), view.name);
        }
    }
    page
}
