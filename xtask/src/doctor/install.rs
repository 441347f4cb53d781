//! Installs what is missing: rustup's part, the distribution's packages, downloads of xtask's own.

use std::process::Command;
use std::time::Duration;

use anyhow::bail;

use super::needs::Finding;
use super::remedy::{Privilege, Remedy, System};
use crate::bench::linux;
use crate::deadline::Deadline;
use crate::outcome::Unusable;
use crate::process;

const RUSTUP_WITHIN: Duration = Duration::from_secs(10 * 60);
const APT_WITHIN: Duration = Duration::from_secs(30 * 60);

/// What has to be done, in this order.
#[derive(Debug, Default)]
pub struct Plan {
    rustup: Vec<(Vec<String>, Vec<&'static str>)>,
    packages: Vec<&'static str>,
    wants_linux_kernel: bool,
}

impl Plan {
    /// Sorts the remedies; an error when one of them is beyond a program.
    pub fn new(missing: &[&Finding], system: &System) -> anyhow::Result<Plan> {
        let mut plan = Plan::default();
        for finding in missing {
            match finding.need.remedy(system) {
                Remedy::Packages(names) => plan.add_packages(&names),
                Remedy::Rustup {
                    arguments,
                    or_packages,
                } => plan.rustup.push((arguments, or_packages)),
                Remedy::LinuxKernel => plan.wants_linux_kernel = true,
                Remedy::Advice(text) => bail!(Unusable(format!(
                    "{} is missing; {text}",
                    finding.need.name
                ))),
            }
        }
        Ok(plan)
    }

    pub fn execute(mut self, system: &System) -> anyhow::Result<()> {
        for (arguments, or_packages) in std::mem::take(&mut self.rustup) {
            eprintln!("+ rustup {}", arguments.join(" "));
            let mut rustup = Command::new("rustup");
            rustup
                .current_dir(crate::workspace::root())
                .args(&arguments);
            let is_done = process::run(&mut rustup, Deadline::after(RUSTUP_WITHIN))
                .is_ok_and(|status| status.success());
            if !is_done && or_packages.is_empty() {
                bail!(
                    "rustup {} failed; is the network there?",
                    arguments.join(" ")
                );
            }
            if !is_done {
                eprintln!("rustup cannot do it here; the distribution's packages serve instead");
                self.add_packages(&or_packages);
            }
        }
        if !self.packages.is_empty() {
            apt_get(&["update"], system)?;
            let install = ["install", "-y", "--no-install-recommends"];
            apt_get(&[&install[..], &self.packages[..]].concat(), system)?;
        }
        if self.wants_linux_kernel {
            linux::fetch_kernel()?;
        }
        Ok(())
    }

    fn add_packages(&mut self, names: &[&'static str]) {
        for name in names {
            if !self.packages.contains(name) {
                self.packages.push(name);
            }
        }
    }
}

fn apt_get(arguments: &[&str], system: &System) -> anyhow::Result<()> {
    let mut command = match system.privilege() {
        Privilege::Root => Command::new("apt-get"),
        Privilege::Sudo | Privilege::SudoWithPassword => {
            let mut sudo = Command::new("sudo");
            sudo.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo
        }
        Privilege::None => bail!(Unusable(format!(
            "as root, run: apt-get {}",
            arguments.join(" ")
        ))),
    };
    eprintln!("+ {}apt-get {}", system.prefix(), arguments.join(" "));
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let status = process::run(&mut command, Deadline::after(APT_WITHIN))?;
    if !status.success() {
        bail!(
            "apt-get {} ended with {}",
            arguments[0],
            process::describe(status)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::needs::NEEDS;
    use super::*;

    fn missing(name: &str) -> Finding {
        Finding {
            need: NEEDS.iter().find(|need| need.name == name).unwrap(),
            version: None,
        }
    }

    #[test]
    fn all_packages_go_into_one_call_and_none_twice() {
        let findings = [
            missing("QEMU"),
            missing("UEFI firmware"),
            missing("boot loader's compiler"),
            missing("QEMU"),
        ];
        let plan = Plan::new(
            &findings.iter().collect::<Vec<_>>(),
            &System::for_tests("debian", "12", false),
        )
        .unwrap();
        assert_eq!(plan.packages[..2], ["qemu-system-x86", "ovmf"]);
        assert_eq!(
            plan.packages
                .iter()
                .filter(|name| **name == "qemu-system-x86")
                .count(),
            1
        );
        assert!(plan.packages.contains(&"llvm-22"));
    }

    #[test]
    fn what_only_a_person_can_do_is_said_before_anything_is_installed() {
        let findings = [missing("QEMU"), missing("boot loader's compiler")];
        let error = Plan::new(
            &findings.iter().collect::<Vec<_>>(),
            &System::for_tests("ubuntu", "24.04", false),
        )
        .unwrap_err();
        assert!(error.to_string().contains("rustup.rs"), "{error}");
    }
}
