//! Tells `version` what this build is made of.
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
}

fn rustc_version() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}
