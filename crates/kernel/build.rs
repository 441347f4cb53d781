//! Tells `version` what this build is made of, and the linker where things go.
//!
//! The commit comes from the environment (`RAYOS_COMMIT`), so that the same source
//! gives the same kernel with and without git.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RAYOS_COMMIT");
    let facts = [
        ("RAYOS_BUILD_COMMIT", env::var("RAYOS_COMMIT").ok()),
        ("RAYOS_BUILD_RUSTC", rustc_version()),
        ("RAYOS_BUILD_PROFILE", env::var("PROFILE").ok()),
        ("RAYOS_BUILD_TARGET", env::var("TARGET").ok()),
    ];
    for (name, value) in facts {
        println!("cargo:rustc-env={name}={}", value.unwrap_or_default());
    }
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "none") {
        pass_linker_script();
    }
}

fn pass_linker_script() {
    let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rerun-if-changed=link.ld");
    println!("cargo:rustc-link-arg-bins=-T{folder}/link.ld");
    println!("cargo:rustc-link-arg-bins=--no-pie");
}

fn rustc_version() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}
