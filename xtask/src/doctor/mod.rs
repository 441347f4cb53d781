//! `doctor`: what building, images, tests and benchmarks need, what of it is here, and how to get the rest.

mod install;
mod needs;
mod remedy;

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};

pub use needs::Purpose;

use crate::outcome::{Outcome, Unusable};
use crate::table::Table;
use install::Plan;
use needs::Finding;
use remedy::System;

/// Show what is needed, what is here, and the command that installs the rest
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Install what is missing: with apt-get (as root or through sudo) and rustup
    #[arg(long)]
    install: bool,

    /// Look only for what this needs; can be given several times
    #[arg(long = "for", value_name = "PURPOSE", value_enum)]
    purposes: Vec<Purpose>,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let purposes = if options.purposes.is_empty() {
        Purpose::ALL
    } else {
        &options.purposes
    };
    let mut findings = needs::look_for(purposes);
    let system = System::inspect();
    if options.install {
        findings = install(purposes, findings, &system)?;
    }
    if options.json {
        println!("{}", as_json(&findings, &system));
    } else {
        print!("{}", as_table(&findings, &system));
    }
    let is_complete = findings
        .iter()
        .all(|finding| finding.version.is_some() || !finding.need.is_required());
    Ok(if is_complete {
        Outcome::Success
    } else {
        Outcome::Unusable
    }
    .into())
}

/// Ends with what is missing and the command that installs it, when something is.
pub fn require(purposes: &[Purpose]) -> anyhow::Result<()> {
    let findings = needs::look_for(purposes);
    let missing = missing(&findings);
    if missing.is_empty() {
        return Ok(());
    }
    bail!(Unusable(explain(&missing, &System::inspect())))
}

/// As `require`, but installs what is missing where that needs no password.
pub fn provide(purposes: &[Purpose]) -> anyhow::Result<()> {
    let findings = needs::look_for(purposes);
    let missing = missing(&findings);
    if missing.is_empty() {
        return Ok(());
    }
    let system = System::inspect();
    if !system.installs_unasked() {
        bail!(Unusable(explain(&missing, &system)));
    }
    install(purposes, findings, &system)?;
    require(purposes)
}

/// Installs what is missing and looks again. What comes may have needs of its own (another compiler wants another
/// clippy), so this goes on as long as it helps.
fn install(
    purposes: &[Purpose],
    mut findings: Vec<Finding>,
    system: &System,
) -> anyhow::Result<Vec<Finding>> {
    let mut tried = Vec::new();
    loop {
        let missing = missing(&findings);
        let names: Vec<&str> = missing.iter().map(|finding| finding.need.name).collect();
        if missing.is_empty() || names == tried {
            return Ok(findings);
        }
        eprintln!("installing what is missing: {}", names.join(", "));
        Plan::new(&missing, system)?.execute(system)?;
        tried = names;
        findings = needs::look_for(purposes);
    }
}

fn missing(findings: &[Finding]) -> Vec<&Finding> {
    findings
        .iter()
        .filter(|finding| finding.version.is_none() && finding.need.is_required())
        .collect()
}

fn explain(missing: &[&Finding], system: &System) -> String {
    let mut text = String::new();
    for finding in missing {
        let need = finding.need;
        text.push_str(&format!(
            "{} is missing ({}): {}\n",
            need.name,
            need.serves,
            need.remedy(system).shown(system)
        ));
    }
    text.push_str("`cargo xtask doctor --install` installs all of it");
    text
}

fn as_table(findings: &[Finding], system: &System) -> String {
    let mut table = Table::new(["tool", "serves", "what for", "found", "install"]);
    for finding in findings {
        let need = finding.need;
        let found = finding
            .version
            .clone()
            .unwrap_or_else(|| "missing".to_string());
        let install = if finding.version.is_some() {
            String::new()
        } else {
            need.remedy(system).shown(system)
        };
        table.row([
            need.name.to_string(),
            need.purpose_names(),
            need.serves.to_string(),
            found,
            install,
        ]);
    }
    table.to_string()
}

fn as_json(findings: &[Finding], system: &System) -> Value {
    let needs: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let need = finding.need;
            let install = finding
                .version
                .is_none()
                .then(|| need.remedy(system).shown(system));
            json!({
                "name": need.name,
                "purposes": need.purposes.iter().map(|purpose| purpose.name()).collect::<Vec<_>>(),
                "serves": need.serves,
                "required": need.is_required(),
                "found": finding.version,
                "install": install,
            })
        })
        .collect();
    json!({ "complete": missing(findings).is_empty(), "needs": needs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: &str, version: Option<&str>) -> Finding {
        let need = needs::NEEDS.iter().find(|need| need.name == name).unwrap();
        Finding {
            need,
            version: version.map(str::to_string),
        }
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_installs_it() {
        let findings = [finding("QEMU", None), finding("mtools", Some("4.0.33"))];
        let system = System::for_tests("debian", "12", true);
        let table = as_table(&findings, &system);
        let qemu = table.lines().find(|line| line.starts_with("QEMU")).unwrap();
        assert!(
            qemu.contains("missing") && qemu.contains("apt-get install"),
            "{qemu}"
        );
        let mtools = table
            .lines()
            .find(|line| line.starts_with("mtools"))
            .unwrap();
        assert!(
            mtools.contains("4.0.33") && !mtools.contains("apt-get"),
            "{mtools}"
        );
        assert!(
            explain(&missing(&findings), &system).contains("apt-get install -y qemu-system-x86")
        );
    }

    #[test]
    fn the_document_says_the_same_as_the_table() {
        let findings = [finding("QEMU", None), finding("mtools", Some("4.0.33"))];
        let document = as_json(&findings, &System::for_tests("debian", "12", true));
        assert_eq!(document["complete"], false);
        assert_eq!(document["needs"][0]["found"], Value::Null);
        assert_eq!(document["needs"][1]["install"], Value::Null);
    }

    #[test]
    fn what_is_only_handy_does_not_make_a_machine_incomplete() {
        assert!(missing(&[finding("gdb", None)]).is_empty());
    }
}
