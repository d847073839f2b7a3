//! `blanche-matcher`: started by the parent with a channel on descriptor 4; see [`blanche_engines::zygote`].

fn main() -> std::process::ExitCode {
    blanche_sandbox::confine::abort_on_panic();
    blanche_engines::zygote::run()
}
