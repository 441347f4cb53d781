//! How a missing thing is obtained on this system.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::process;
use crate::toolchain;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Debian's compiler with everything that building the core library takes.
const DEBIAN_TOOLCHAIN: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "lld-22",
];
const DEBIAN_BOOT_LOADER: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-llvm",
    "lld-22",
    "llvm-22",
];

/// How something is obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Packages of the distribution.
    Packages(Vec<&'static str>),
    /// A command of rustup; where it cannot work (no network), these packages.
    Rustup {
        arguments: Vec<String>,
        or_packages: Vec<&'static str>,
    },
    /// Downloaded by xtask itself into the target directory.
    LinuxKernel,
    /// What a person has to do.
    Advice(&'static str),
}

/// What decides how things are installed here.
#[derive(Clone, Debug)]
pub struct System {
    /// Whether this is Debian 12, whose package names are known to the version.
    is_debian_12: bool,
    has_apt: bool,
    has_rustup: bool,
    is_active_rustups: bool,
    privilege: Privilege,
}

/// How commands that need root get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    Root,
    /// `sudo` works without asking.
    Sudo,
    /// `sudo` is there and wants a password.
    SudoWithPassword,
    None,
}

impl System {
    pub fn inspect() -> System {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        System {
            is_debian_12: is_debian_12(&release),
            has_apt: process::find_program("apt-get").is_some(),
            has_rustup: process::find_program("rustup").is_some(),
            is_active_rustups: toolchain::active_is_rustups(),
            privilege: privilege(),
        }
    }

    #[cfg(test)]
    pub fn for_tests(id: &str, version: &str, is_active_rustups: bool) -> System {
        System {
            is_debian_12: is_debian_12(&format!("ID={id}\nVERSION_ID=\"{version}\"\n")),
            has_apt: true,
            has_rustup: is_active_rustups,
            is_active_rustups,
            privilege: Privilege::Root,
        }
    }

    /// Whether installing needs nothing from the user.
    pub fn installs_unasked(&self) -> bool {
        matches!(self.privilege, Privilege::Root | Privilege::Sudo)
    }

    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// The words before a command that needs root.
    pub fn prefix(&self) -> &'static str {
        if self.privilege == Privilege::Root {
            ""
        } else {
            "sudo "
        }
    }

    pub fn packages(&self, names: &[&'static str]) -> Remedy {
        if self.has_apt {
            Remedy::Packages(names.to_vec())
        } else {
            Remedy::Advice("install it with this system's package manager")
        }
    }

    pub fn lld(&self) -> &'static str {
        if self.is_debian_12 { "lld-22" } else { "lld" }
    }

    pub fn bare_metal_toolchain(&self) -> Remedy {
        let packages = if self.is_debian_12 {
            DEBIAN_TOOLCHAIN
        } else {
            &[]
        };
        if self.is_active_rustups {
            let arguments = ["target", "add", toolchain::TARGET]
                .map(String::from)
                .to_vec();
            Remedy::Rustup {
                arguments,
                or_packages: packages.to_vec(),
            }
        } else if self.is_debian_12 {
            self.packages(packages)
        } else {
            Remedy::Advice(
                "install rustup (https://rustup.rs), then `rustup target add x86_64-unknown-none`",
            )
        }
    }

    pub fn boot_loader_compiler(&self) -> Remedy {
        if self.is_debian_12 {
            return self.packages(DEBIAN_BOOT_LOADER);
        }
        if !self.has_rustup {
            return Remedy::Advice(
                "install rustup (https://rustup.rs), then run `cargo xtask doctor --install`",
            );
        }
        let version = toolchain::BOOT_LOADER_RUST;
        let arguments = [
            "toolchain",
            "install",
            version,
            "--profile",
            "minimal",
            "--component",
            "rust-src,llvm-tools",
        ];
        Remedy::Rustup {
            arguments: arguments.map(String::from).to_vec(),
            or_packages: Vec::new(),
        }
    }

    /// A component of the active toolchain.
    pub fn component(&self, name: &'static str) -> Remedy {
        if self.is_active_rustups {
            let arguments = ["component", "add", name].map(String::from).to_vec();
            return Remedy::Rustup {
                arguments,
                or_packages: Vec::new(),
            };
        }
        match (name, self.is_debian_12) {
            ("rustfmt", true) => self.packages(&["rustfmt-web"]),
            ("clippy", true) => self.packages(&["rust-web-clippy"]),
            ("clippy", false) => self.packages(&["rust-clippy"]),
            _ => self.packages(&["rustfmt"]),
        }
    }
}

impl Remedy {
    /// The command to type.
    pub fn shown(&self, system: &System) -> String {
        match self {
            Remedy::Packages(names) => {
                format!("{}apt-get install -y {}", system.prefix(), names.join(" "))
            }
            Remedy::Rustup { arguments, .. } => format!("rustup {}", arguments.join(" ")),
            Remedy::LinuxKernel => "cargo xtask doctor --install".to_string(),
            Remedy::Advice(text) => text.to_string(),
        }
    }
}

fn is_debian_12(release: &str) -> bool {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key));
        line.map(|value| value.trim_matches('"').to_string())
    };
    value("ID=").as_deref() == Some("debian") && value("VERSION_ID=").as_deref() == Some("12")
}

fn privilege() -> Privilege {
    if rustix::process::geteuid().is_root() {
        return Privilege::Root;
    }
    let Some(sudo) = process::find_program("sudo") else {
        return Privilege::None;
    };
    let asked = process::ask(
        Command::new(sudo).args(["-n", "true"]),
        Deadline::after(ANSWER_WITHIN),
    );
    if asked.is_ok_and(|said| said.success) {
        Privilege::Sudo
    } else {
        Privilege::SudoWithPassword
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustup_is_tried_first_and_debian_serves_where_it_cannot() {
        let remedy = System::for_tests("debian", "12", true).bare_metal_toolchain();
        let Remedy::Rustup {
            arguments,
            or_packages,
        } = remedy
        else {
            panic!("{remedy:?}")
        };
        assert_eq!(arguments, ["target", "add", "x86_64-unknown-none"]);
        assert!(or_packages.contains(&"rust-web-src"));
    }

    #[test]
    fn debian_without_rustup_uses_its_own_packages() {
        let system = System::for_tests("debian", "12", false);
        let shown = system.bare_metal_toolchain().shown(&system);
        assert_eq!(
            shown,
            "apt-get install -y rustc-web cargo-web rust-web-src rust-web-llvm lld-22"
        );
    }

    #[test]
    fn ubuntu_is_never_told_to_install_packages_that_only_debian_12_has() {
        for is_active_rustups in [true, false] {
            let system = System::for_tests("ubuntu", "24.04", is_active_rustups);
            for remedy in [
                system.bare_metal_toolchain(),
                system.boot_loader_compiler(),
                system.packages(&[system.lld()]),
            ] {
                let text = format!("{remedy:?}");
                assert!(!text.contains("-web") && !text.contains("-22"), "{text}");
            }
        }
    }
}
