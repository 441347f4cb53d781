#[cfg(not(target_os = "none"))]
fn main() {}
