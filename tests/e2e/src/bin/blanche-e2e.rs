use blanche_e2e::guest::First;
use blanche_e2e::kernel::Kernel;
use blanche_e2e::Guest;
fn main() {
    let kernel = Kernel::fetch(std::path::Path::new("/work/targets/e2e-cache")).unwrap();
    let me = std::env::current_exe().unwrap();
    let mut guest = Guest::boot(&kernel, First::Matrix, &me.with_file_name("blanche-e2e-agent")).unwrap_or_else(|e| panic!("{e}"));
    println!("boot {:?}", guest.boot_time());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let t = std::time::Instant::now();
        let r = if let Some(q) = line.strip_prefix("!") { let (c, a) = q.split_once(' ').unwrap(); guest.qmp().execute(c, &serde_json::from_str(a).unwrap()).map(|v| v.to_string()) }
        else { let j = guest.start(&line).unwrap(); guest.finish(&j, std::time::Duration::from_secs(400)).map(|a| format!("{} [{}]", a.output, a.code)) };
        println!("> {line}\n{} ({:?})", r.unwrap_or_else(|e| e.to_string()), t.elapsed());
    }
    println!("{}", guest.logs());
}
