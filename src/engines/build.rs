//! Finds Debian's libclamav and compiles the shim that takes every constant from its installed header: the numbers of
//! `enum cl_engine_field` move between versions, so bindings written by hand would set the wrong field in silence.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=csrc/constants.c");
    println!("cargo::rerun-if-changed=build.rs");
    let library = pkg_config::Config::new().atleast_version("1.4").probe("libclamav")?;
    println!("cargo::rerun-if-changed=/usr/include/clamav.h");
    let mut shim = cc::Build::new();
    shim.file("csrc/constants.c").includes(&library.include_paths).warnings(true).extra_warnings(true);
    shim.try_compile("blanche_clamav_constants")?;
    Ok(())
}
