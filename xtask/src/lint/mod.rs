//! `cargo xtask lint`: the rules of this project that a program can judge.
//!
//! A rule is a function from the tree of sources to its findings, so that its test can hand it a bad example.

mod clippy;
mod command_book;
mod commands;
mod finding;
mod first_line;
mod format;
mod habits;
mod layers;
mod length;
mod names;
mod paths;
mod shortcuts;
mod source;
mod tokens;
mod unsafe_code;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::builder::PossibleValuesParser;

pub use finding::Finding;
pub use source::{Source, Tree};

use crate::doctor::{self, Purpose};
use crate::outcome::Outcome;
use crate::workspace;

/// Check the source against the rules of the project
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Check only this rule; may be given more than once
    #[arg(long = "rule", value_name = "NAME", value_parser = PossibleValuesParser::new(RULES.map(|rule| rule.name)))]
    rules: Vec<String>,

    /// First write docs/COMMANDS.md again from the kernel's catalog
    #[arg(long)]
    rewrite: bool,
}

/// A rule and how it is judged.
#[derive(Clone, Copy)]
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> anyhow::Result<Vec<Finding>>,
    /// Whether programs are called that a machine may lack.
    needs_tools: bool,
}

impl Rule {
    const fn reading(name: &'static str, check: fn(&Tree) -> anyhow::Result<Vec<Finding>>) -> Self {
        Self {
            name,
            check,
            needs_tools: false,
        }
    }

    const fn calling(name: &'static str, check: fn(&Tree) -> anyhow::Result<Vec<Finding>>) -> Self {
        Self {
            name,
            check,
            needs_tools: true,
        }
    }
}

/// In this order: what is judged in milliseconds first, what compiles last.
const RULES: [Rule; 10] = [
    Rule::reading(layers::NAME, layers::check),
    Rule::reading(unsafe_code::NAME, unsafe_code::check),
    Rule::reading(shortcuts::NAME, shortcuts::check),
    Rule::reading(habits::NAME, habits::check),
    Rule::reading(length::NAME, length::check),
    Rule::reading(first_line::NAME, first_line::check),
    Rule::reading(names::NAME, names::check),
    Rule::reading(commands::NAME, commands::check),
    Rule::calling(format::NAME, format::check),
    Rule::calling(clippy::NAME, clippy::check),
];

/// Prints a line for each finding as its rule ends, and a sum; fails when there is a finding.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let is_chosen = |rule: &Rule| {
        arguments.rules.is_empty() || arguments.rules.iter().any(|name| name == rule.name)
    };
    let chosen = RULES.into_iter().filter(is_chosen).collect::<Vec<_>>();
    if chosen.iter().any(|rule| rule.needs_tools) {
        doctor::provide(&[Purpose::Lint])?;
    }
    let root = workspace::root();
    if arguments.rewrite {
        command_book::write(&root)?;
    }
    let tree = Tree::read(&root)?;
    let mut output = io::stdout().lock();
    let mut finding_count = 0;
    for rule in &chosen {
        let findings = (rule.check)(&tree)
            .with_context(|| format!("the rule `{}` cannot be checked", rule.name))?;
        for finding in &findings {
            writeln!(output, "{finding}")?;
        }
        finding_count += findings.len();
    }
    let findings = if finding_count == 1 {
        "finding"
    } else {
        "findings"
    };
    let rule_count = chosen.len();
    let rules = if rule_count == 1 { "rule" } else { "rules" };
    writeln!(
        output,
        "{finding_count} {findings} of {rule_count} {rules} in {} files",
        tree.sources.len()
    )?;
    Ok(match finding_count {
        0 => Outcome::Success,
        _ => Outcome::Failure,
    }
    .into())
}

#[cfg(test)]
mod tests;
