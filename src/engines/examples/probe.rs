use blanche_engines::clamav::*;
use blanche_sandbox::wire::EngineLimits;
struct W;
impl Watch for W {
    fn enter(&mut self, l: &Layer<'_>) { println!("enter depth {} {} {:?} {} bytes norm={} {:?}", l.depth, l.kind, l.name, l.buffer.len(), l.normalised, String::from_utf8_lossy(&l.buffer[..l.buffer.len().min(60)])); }
    fn leave(&mut self) { println!("leave"); }
    fn hit(&mut self, n: Option<String>) { println!("HIT {n:?}"); }
    fn missed(&mut self, m: Missed) { println!("missed {m:?}"); }
}
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let (mut c, b) = load_folders(&[("x".into(), dir.into())]).unwrap();
    println!("{b:?}");
    c.compile(EngineLimits { max_file_size: 0, max_scan_size: 0, max_files: 10000, max_recursion: 17, max_scan_time: 0, max_rules_time: 1, max_matcher_memory: 0 }).unwrap();
    for f in std::env::args().skip(2) {
        println!("== {f}");
        let d = std::fs::read(&f).unwrap();
        println!("{:?}", c.scan(&d, ScanLimits { max_scan_size: 0, max_scan_time: 0 }, &mut W));
    }
}
