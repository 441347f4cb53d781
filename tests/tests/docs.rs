//! Is what the book says true? Its commands are run, its sessions repeated, its tables compared with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::{Args, FromArgMatches};
use rayos_kernel::base::config::Config;
use rayos_kernel::base::trace::Kind;
use rayos_sim::scenario::{Scenario, SimTarget, is_match};
use rayos_tests::book::{self, Block, Document};
use rayos_tests::{shown, xtask_binary};
use xtask::deadline::Deadline;
use xtask::session::{Failure, Session};
use xtask::shape_options::ShapeOptions;
use xtask::workspace::Scratch;
use xtask::{process, workspace};

/// Commands of `sh` blocks that are not run here, each with the reason.
const NOT_RUN: [(&str, &str); 13] = [
    ("cargo xtask test", "it is what runs this test"),
    ("cargo xtask test --host-only", "it is what runs this test"),
    (
        "cargo xtask test --filter editor",
        "it is what runs this test",
    ),
    ("cargo xtask test --long", "it is what runs this test"),
    (
        "cargo xtask lint",
        "it compiles everything once more; .ci/run calls it",
    ),
    (
        "cargo xtask bench net",
        "it takes minutes, and measures nothing beside other tests",
    ),
    (
        "cargo xtask bench disk",
        "it takes minutes, and measures nothing beside other tests",
    ),
    ("cargo xtask doctor", "its verdict is about this machine"),
    (
        "cargo xtask run --gdb",
        "it waits for a debugger in another terminal",
    ),
    (
        "cargo xtask flash /dev/sdX",
        "it needs a USB stick and a person",
    ),
    (
        "cargo xtask flash /dev/sdX --boot bios",
        "it needs a USB stick and a person",
    ),
    (
        "cargo xtask flash /dev/sdX --cmdline 'keymap=de'",
        "it needs a USB stick and a person",
    ),
    (
        "cargo xtask bench boot",
        "it takes minutes, and wants a machine for itself",
    ),
];
const LANGUAGES: [&str; 6] = ["sh", "console", "scenario", "text", "rust", "diff"];
/// `cargo xtask image` may have to build.
const COMMAND_WITHIN: Duration = Duration::from_secs(10 * 60);
const PANIC_WITHIN: Duration = Duration::from_secs(60);
const PROMPT: &str = "rayos> ";
const RUN: &str = "$ cargo xtask run";

fn blocks(language: &str) -> Vec<Block> {
    let blocks = book::documents()
        .into_iter()
        .flat_map(|document| document.blocks());
    let blocks: Vec<Block> = blocks.filter(|block| block.language == language).collect();
    assert!(
        !blocks.is_empty(),
        "no block of the book is marked {language}"
    );
    blocks
}

fn assert_all_true(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_block_says_what_it_is() {
    let mut problems = Vec::new();
    for block in book::documents().iter().flat_map(Document::blocks) {
        if !LANGUAGES.contains(&block.language.as_str()) {
            let known = LANGUAGES.join(", ");
            problems.push(format!(
                "{}: a block is marked with one of {known}",
                block.place
            ));
        }
    }
    assert_all_true(problems);
}

#[test]
fn links_lead_somewhere() {
    let mut problems = Vec::new();
    for document in book::documents() {
        let folder = Path::new(&document.path).parent().unwrap();
        for (number, line) in document.prose() {
            for target in book::links(line)
                .into_iter()
                .filter(|target| !target.contains("://"))
            {
                let file = target.split('#').next().unwrap();
                let is_there = workspace::root().join(folder).join(file).exists();
                if !file.is_empty() && !is_there {
                    problems.push(format!("{}:{number}: {target} is not there", document.path));
                }
            }
        }
    }
    assert_all_true(problems);
}

/// Files that the book names though they are not in the tree: on sticks, or in a folder that the sentence names.
const NOT_IN_TREE: [&str; 2] = ["rayos.cfg", "Cargo.lock"];

#[test]
fn files_that_the_book_names_are_there() {
    let documents = book::documents();
    let made_by_guides: BTreeSet<String> = documents
        .iter()
        .flat_map(Document::blocks)
        .map(|block| block.argument)
        .collect();
    let root = workspace::root();
    let bases = [
        root.clone(),
        root.join("crates/kernel/src"),
        root.join("docs"),
    ];
    let mut problems = Vec::new();
    for document in documents {
        for (number, line) in document.prose() {
            for name in book::quoted(line).filter(|name| is_path(name)) {
                let is_there = bases.iter().any(|base| base.join(name).exists());
                if !is_there && !NOT_IN_TREE.contains(&name) && !made_by_guides.contains(name) {
                    problems.push(format!("{}:{number}: {name} is not there", document.path));
                }
            }
        }
    }
    assert_all_true(problems);
}

fn is_path(name: &str) -> bool {
    const ENDINGS: [&str; 6] = [".rs", ".md", ".toml", ".cfg", ".ld", ".txt"];
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "._-/".contains(character);
    let looks_like_one = name.contains('/') || ENDINGS.iter().any(|ending| name.ends_with(ending));
    // What is built is not in the tree, and a device is on the reader's machine.
    let is_elsewhere = name.starts_with("target/") || name.starts_with('/');
    // `10.0.0.0/8`, `ADDRESS/LENGTH`: networks, and what a reader puts in.
    let is_network = name.contains('/') && !name.contains(|c: char| c.is_ascii_lowercase());
    looks_like_one && name.chars().all(is_plain) && !is_elsewhere && !is_network
}

#[test]
fn commands_of_the_book_succeed() {
    let bin = Scratch::new().unwrap();
    let cargo = bin.path().join("cargo");
    let xtask = xtask_binary::path().unwrap();
    // A nested cargo would wait for the build that runs this test.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = xtask ] || {{ echo \"only cargo xtask is run here\" >&2; exit 1; }}\nshift\nexec '{}' \"$@\"\n",
        xtask.display()
    );
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        bin.path().display(),
        std::env::var("PATH").unwrap()
    );

    let mut unseen: BTreeMap<&str, &str> = NOT_RUN.into();
    let mut done = BTreeSet::new();
    let mut problems = Vec::new();
    for block in blocks("sh") {
        for line in &block.lines {
            let Some(command) = line.strip_prefix("$ ") else {
                problems.push(format!(
                    "{}: a line begins with \"$ \": {line}",
                    block.place
                ));
                continue;
            };
            let is_listed = NOT_RUN.iter().any(|(listed, _)| *listed == command);
            unseen.remove(command);
            if is_listed || !done.insert(command.to_string()) {
                continue;
            }
            let mut shell = Command::new("sh");
            shell
                .current_dir(workspace::root())
                .args(["-c", command])
                .env("PATH", &path);
            let said = process::ask(&mut shell, Deadline::after(COMMAND_WITHIN)).unwrap();
            if !said.success {
                let (stdout, stderr) = (said.stdout, said.stderr);
                problems.push(format!("{}: {command}\n{stdout}{stderr}", block.place));
            }
        }
    }
    for command in unseen.keys() {
        problems.push(format!(
            "no page has the command {command} any more; take it off the list"
        ));
    }
    assert_all_true(problems);
}

/// A command of a session with what the page shows as its answer.
struct Exchange {
    line: String,
    shown: Vec<String>,
}

#[test]
fn sessions_of_the_book_can_be_repeated() {
    let mut problems = Vec::new();
    for block in blocks("console") {
        if let Err(error) = repeat(&block) {
            problems.push(format!("{}: {error:#}", block.place));
        }
    }
    assert_all_true(problems);
}

fn repeat(block: &Block) -> anyhow::Result<()> {
    let mut greeting = Vec::new();
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut options = None;
    for line in &block.lines {
        if let Some(typed) = line.strip_prefix(PROMPT) {
            let (line, shown) = (typed.to_string(), Vec::new());
            exchanges.push(Exchange { line, shown });
        } else if let Some(exchange) = exchanges.last_mut() {
            exchange.shown.push(line.clone());
        } else if let Some(rest) = line.strip_prefix(RUN) {
            options = Some(rest.trim());
        } else {
            greeting.push(line.clone());
        }
    }
    if !greeting.is_empty() {
        check_greeting(options.context("a greeting follows a command")?, &greeting)?;
    }
    let shape = parse_options(options.unwrap_or(""))?.equipped_shape()?;
    let mut session = Session::boot(&shape)?;
    for exchange in &exchanges {
        let real = answer(&mut session, exchange)?;
        let real: Vec<&str> = real.trim_end().lines().collect();
        let mut shown = exchange.shown.clone();
        while shown.last().is_some_and(String::is_empty) {
            shown.pop();
        }
        ensure!(
            is_match(&shown::patterns(&shown), &real),
            "{}{}\nshown:\n{}\nreal:\n{}",
            PROMPT,
            exchange.line,
            shown.join("\n"),
            real.join("\n")
        );
    }
    Ok(())
}

/// The kernel's answer, and the report of the panic when the page shows one.
fn answer(session: &mut Session, exchange: &Exchange) -> anyhow::Result<String> {
    // A page shows a person's session; this is a program's.
    let mut text = session
        .run(&exchange.line)?
        .output
        .replace("framed", "interactive");
    let shows_panic = exchange
        .shown
        .iter()
        .any(|line| line.starts_with("panic: "));
    if shows_panic {
        match session.wait_until_ready(PANIC_WITHIN) {
            Err(Failure::Panicked { report, .. }) => text.push_str(&report.replace('\r', "")),
            Err(failure) => bail!(failure),
            Ok(()) => bail!("the kernel does not panic"),
        }
    }
    Ok(text)
}

/// What an interactive shell says before its first prompt.
fn check_greeting(options: &str, greeting: &[String]) -> anyhow::Result<()> {
    let words = words(options);
    let arguments: Vec<&str> = ["run"]
        .into_iter()
        .chain(words.iter().map(String::as_str))
        .collect();
    let said = xtask_binary::call(&arguments, "", COMMAND_WITHIN)?;
    let before_prompt = said.stdout.split(PROMPT).next().unwrap_or_default();
    let real: Vec<&str> = before_prompt
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    ensure!(
        is_match(&shown::patterns(greeting), &real),
        "before the prompt stands\n{}",
        real.join("\n")
    );
    Ok(())
}

fn parse_options(options: &str) -> anyhow::Result<ShapeOptions> {
    let command = ShapeOptions::augment_args(clap::Command::new("run"));
    let words = ["run".to_string()].into_iter().chain(words(options));
    let matches = command.try_get_matches_from(words)?;
    Ok(ShapeOptions::from_arg_matches(&matches)?)
}

/// Words apart by blanks, except between single quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(String::from)),
            _ => words.push(part.to_string()),
        }
    }
    words
}

#[test]
fn scenarios_of_the_book_pass() {
    let mut problems = Vec::new();
    for block in blocks("scenario") {
        let scenario = Scenario::parse(&block.place, &block.content()).unwrap();
        problems.extend(
            scenario
                .run(&mut SimTarget::for_scenario(&scenario))
                .failures,
        );
    }
    assert_all_true(problems);
}

/// The rows of the tables between this heading and the next, cells without their backticks.
fn rows(document: &Document, heading: &str) -> Vec<Vec<String>> {
    let lines = document
        .text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1);
    let section = lines.take_while(|line| !line.starts_with('#'));
    let table = section.filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_matches('|').split('|');
        inner.map(|cell| cell.trim().replace('`', "")).collect()
    };
    table.skip(1).map(cells).collect()
}

#[test]
fn the_list_of_dependencies_is_the_one_of_cargo() {
    let page = Document::read("docs/dependencies.md");
    let mut problems = Vec::new();
    for folder in [
        "crates/kernel",
        "crates/image",
        "crates/sim",
        "xtask",
        "tests",
    ] {
        let manifest = std::fs::read_to_string(workspace::root().join(folder).join("Cargo.toml"));
        let used = external_crates(&manifest.unwrap());
        let rows = rows(&page, &format!("## {folder}"));
        let listed: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
        for name in used.symmetric_difference(&listed) {
            let place = match used.contains(name) {
                true => "in its Cargo.toml and not in docs/dependencies.md",
                false => "in docs/dependencies.md and not in its Cargo.toml",
            };
            problems.push(format!("{folder}: {name} is {place}"));
        }
        problems.extend(
            rows.iter()
                .filter(|row| row[1].is_empty())
                .map(|row| format!("{folder}: {} has no reason", row[0])),
        );
    }
    assert_all_true(problems);
}

/// The names below every heading that ends in `dependencies]`, without the workspace's own crates.
fn external_crates(manifest: &str) -> BTreeSet<String> {
    let mut is_inside = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]");
        } else if let Some((name, rest)) = line.split_once('=')
            && is_inside
            && !line.starts_with('#')
            && !rest.contains("path =")
        {
            names.insert(name.trim().to_string());
        }
    }
    names
}

#[test]
fn the_settings_are_those_of_the_parser() {
    let page = Document::read("docs/configuration.md");
    let rows = rows(&page, "# Configuration");
    let parser = Document::read("crates/kernel/src/base/config.rs").text;
    let arms = parser
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => self."));
    let known: BTreeSet<&str> = arms.map(|(key, _)| key).collect();
    let listed: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(listed, known);
    for row in &rows {
        for value in row[1].split_whitespace() {
            let config = Config::parse(&format!("{}={value}", row[0]));
            assert!(
                config.problems.is_empty(),
                "{}: {:?}",
                row[0],
                config.problems
            );
        }
        assert!(
            // A secret has no default.
            row[2] == "none" || row[1].split_whitespace().any(|value| value == row[2]),
            "{}: its default",
            row[0]
        );
    }
}

#[test]
fn the_drawing_shows_the_floors_that_lint_checks() {
    let rules = Document::read("xtask/src/lint/layers.rs").text;
    let floors = rules
        .lines()
        .filter(|line| line.trim().starts_with("Floor::"));
    let page = Document::read("docs/architecture.md").text;
    for (number, floor) in floors.enumerate() {
        let label = format!(" L{number}   |");
        let row = page.lines().find_map(|line| line.strip_prefix(&label));
        let row = row.and_then(|row| row.split('|').next());
        let row = row.unwrap_or_else(|| panic!("the drawing has no floor L{number}"));
        let drawn: Vec<&str> = row
            .split_whitespace()
            .map(|name| name.trim_matches(['(', ')']))
            .collect();
        let checked: Vec<&str> = floor.split('"').skip(1).step_by(2).collect();
        let as_set = |names: &[&str]| {
            names
                .iter()
                .map(|name| name.to_string())
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(as_set(&drawn), as_set(&checked), "floor L{number}");
        for name in row.split_whitespace() {
            let source = workspace::root().join("crates/kernel/src");
            let plain = name.trim_matches(['(', ')']);
            let is_there =
                source.join(plain).exists() || source.join(format!("{plain}.rs")).exists();
            assert_eq!(
                is_there,
                plain == name,
                "brackets stand around what is not there: {name}"
            );
        }
    }
}

#[test]
fn every_kind_of_trace_event_is_explained() {
    let rows = rows(&Document::read("docs/debugging.md"), "## The trace ring");
    let explained: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(explained, Kind::ALL.map(Kind::name));
}
