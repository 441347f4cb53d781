//! Hands the linker script to the bare-metal binary.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "none" {
        println!("cargo:rustc-link-arg-bins=-T{folder}/link.ld");
        println!("cargo:rustc-link-arg-bins=--no-pie");
    }
    println!("cargo:rerun-if-changed=link.ld");
    println!("cargo:rerun-if-changed=build.rs");
}
