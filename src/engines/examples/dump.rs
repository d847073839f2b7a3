use blanche_engines::containers::{OPENERS, samples};
fn main() {
    let m = blanche_engines::selftest::eicar();
    for r in OPENERS { if let Some(s) = samples::sample(r.container, &m) { std::fs::write(format!("/tmp/samples/{:?}", r.container), s).unwrap(); } }
    std::fs::write("/tmp/samples/html16", blanche_engines::selftest::eicar_html()).unwrap();
}
