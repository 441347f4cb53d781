//! The guides of the book, followed word for word on a copy of the tree: what they add compiles and works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rayos_tests::book::{Block, Document};
use rayos_tests::form;
use xtask::deadline::Deadline;
use xtask::{process, workspace};

const GUIDES: [&str; 2] = ["docs/adding-a-subsystem.md", "docs/adding-a-command.md"];
/// What a build on the host is made of.
const COPIED: [&str; 7] = [
    ".cargo",
    "Cargo.toml",
    "Cargo.lock",
    "crates",
    "docs",
    "tests",
    "xtask",
];
/// A cold build on a busy machine; a warm one takes seconds.
const BUILD_WITHIN: Duration = Duration::from_secs(15 * 60);

const FORMAT_WITHIN: Duration = Duration::from_secs(60);

/// A copy of the tree. It stays where it is, and files that did not change are not written again, so that cargo
/// builds only what did.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new(changes: &[(String, String)]) -> Copy {
        let copy = Copy {
            root: workspace::cache().join("guide/tree"),
        };
        let mut wanted = Vec::new();
        for name in COPIED {
            files_below(&workspace::root().join(name), &mut wanted);
        }
        let mut kept: Vec<PathBuf> = changes
            .iter()
            .map(|(path, _)| copy.root.join(path))
            .collect();
        for source in wanted {
            let path = source.strip_prefix(workspace::root()).unwrap();
            let target = copy.root.join(path);
            if !kept.contains(&target) {
                write_if_new(&target, &fs::read(&source).unwrap());
                kept.push(target);
            }
        }
        for (path, text) in changes {
            write_if_new(&copy.root.join(path), text.as_bytes());
        }
        let mut present = Vec::new();
        files_below(&copy.root, &mut present);
        for path in present.iter().filter(|path| !kept.contains(path)) {
            fs::remove_file(path).unwrap();
        }
        copy
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    fn check_format<'a>(&self, paths: impl Iterator<Item = &'a str>) {
        let rustfmt =
            |command: &mut Command| process::ask(command, Deadline::after(FORMAT_WITHIN)).ok();
        let version = rustfmt(Command::new("rustfmt").arg("--version"));
        if !version.is_some_and(|said| said.success) {
            form::say_skipped(
                "the format of the guides: `cargo xtask doctor --for lint --install` brings rustfmt",
            );
            return;
        }
        let mut command = Command::new("rustfmt");
        command.args(["--edition", "2024", "--check"]);
        command.args(paths.map(|path| self.root.join(path)));
        let said = rustfmt(&mut command).unwrap();
        assert!(said.success, "{}{}", said.stdout, said.stderr);
    }

    /// Runs cargo in the copy, with a target directory of its own: it waits for nobody's build.
    fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .current_dir(&self.root)
            .args(arguments)
            .args(["--offline", "--locked", "--quiet"])
            // Compiling takes longer than these few tests run.
            .args(["--config", "profile.dev.package.rayos-kernel.opt-level=0"])
            .env("CARGO_TARGET_DIR", workspace::cache().join("guide/target"))
            .env_remove("RAYOS_REWRITE")
            .envs(variables.iter().copied());
        let said = process::ask(&mut command, Deadline::after(BUILD_WITHIN)).unwrap();
        assert!(
            said.success,
            "cargo {} in the copy:\n{}\n{}",
            arguments.join(" "),
            said.stdout,
            said.stderr
        );
    }
}

fn files_below(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        return files.push(path.to_path_buf());
    }
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if !path.ends_with("target") {
            files_below(&path, files);
        }
    }
}

fn write_if_new(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// What the guides make of the tree: every file that is new or changed, with its text.
fn changes() -> Vec<(String, String)> {
    let mut changed: Vec<(String, String)> = Vec::new();
    for block in GUIDES.iter().flat_map(|path| Document::read(path).blocks()) {
        if block.argument.is_empty() {
            continue;
        }
        let path = block.argument.clone();
        let known = changed.iter().position(|(other, _)| *other == path);
        let text = match (block.language.as_str(), known) {
            ("diff", Some(index)) => apply(&changed[index].1, &block),
            ("diff", None) => {
                let file = fs::read_to_string(workspace::root().join(&path));
                let file = file.unwrap_or_else(|error| panic!("{}: {path}: {error}", block.place));
                apply(&file, &block)
            }
            _ => {
                assert!(known.is_none(), "{}: {path} is there twice", block.place);
                block.content()
            }
        };
        match known {
            Some(index) => changed[index].1 = text,
            None => changed.push((path, text)),
        }
    }
    changed
}

/// Makes the changes of a block; `@@` stands between two of them. Each says enough to be found in one place only.
fn apply(text: &str, block: &Block) -> String {
    let mut text = text.to_string();
    for hunk in block.lines.split(|line| line == "@@") {
        let (mut old, mut new) = (String::new(), String::new());
        for line in hunk {
            let rest = line.get(1..).unwrap_or("");
            if !line.starts_with('+') {
                old.push_str(rest);
                old.push('\n');
            }
            if !line.starts_with('-') {
                new.push_str(rest);
                new.push('\n');
            }
        }
        let count = text.matches(&old).count();
        assert_eq!(
            count, 1,
            "{}: these lines stand {count} times in {}; the guide must follow the code:\n{old}",
            block.place, block.argument
        );
        text = text.replace(&old, &new);
    }
    text
}

#[test]
fn whoever_follows_the_guides_gets_what_they_promise() {
    let changes = changes();
    let is_scenario = |path: &str| path.starts_with("tests/scenarios/");
    let copy = Copy::new(&changes);
    let paths = changes.iter().map(|(path, _)| path.as_str());
    copy.check_format(paths.filter(|path| path.ends_with(".rs")));
    copy.cargo(&["test", "-p", "rayos-kernel", "--lib", "reminders"], &[]);
    // As the guide says: the scenarios are written again, and then all of them hold.
    let scenarios = ["test", "-p", "rayos-sim", "--test", "scenarios"];
    copy.cargo(&scenarios, &[("RAYOS_REWRITE", "1")]);
    for (path, text) in changes.iter().filter(|(path, _)| is_scenario(path)) {
        assert_eq!(
            copy.read(path),
            *text,
            "{path}: the guide shows another answer"
        );
    }
    copy.cargo(&scenarios, &[]);
}
