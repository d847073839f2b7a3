use blanche_engines::{clamav::*, containers::*, examine::*, rules::*};
use blanche_sandbox::wire::EngineLimits;
use std::collections::BTreeMap;
fn walk(p: &std::path::Path, out: &mut Vec<std::path::PathBuf>) { if let Ok(d) = std::fs::read_dir(p) { for e in d.flatten() { let t = e.file_type().unwrap(); if t.is_dir() { walk(&e.path(), out) } else if t.is_file() { out.push(e.path()) } } } }
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let step: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let (mut c, _) = load_folders(&[("x".into(), dir.into())]).unwrap();
    c.compile(EngineLimits { max_file_size: 0, max_scan_size: 1<<30, max_files: 10000, max_recursion: 17, max_scan_time: 60000, max_rules_time: 10, max_matcher_memory: 0 }).unwrap();
    let rules = Rules::compile(&[]).unwrap();
    let mut e = Engines { clamav: c, rules: rules.matcher(), limits: ScanLimits { max_scan_size: 1<<30, max_scan_time: 60000 }, rule_time: std::time::Duration::from_secs(10), opened: Opened::claimed() };
    let mut files = vec![];
    for r in std::env::args().skip(3) { walk(r.as_ref(), &mut files); }
    files.sort();
    let (mut n, mut bytes) = (0u64, 0u64); let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let t = std::time::Instant::now();
    for f in files.iter().step_by(step) {
        let Ok(d) = std::fs::read(f) else { continue }; if d.len() > 30_000_000 { continue }
        n += 1; bytes += d.len() as u64;
        let ext = f.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let x = e.examine(&d, &ext, None);
        for c in &x.not_checked { seen.entry(format!("{c:?}")).or_default().push(f.display().to_string()); }
        for c in &x.findings { seen.entry(format!("FINDING {:?} {} {}", c.severity, c.engine, c.name)).or_default().push(f.display().to_string()); }
    }
    println!("{n} files {} MB {:?}", bytes / 1_000_000, t.elapsed());
    for (k, v) in seen { println!("{} x {k}: {:?}", v.len(), &v[..v.len().min(4)]); }
}
