//! The verifier for machines without the rest of Blanche; see [`blanche_verify`].

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    blanche_verify::main()
}
