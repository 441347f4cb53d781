//! Rule `layers`: a module of the kernel uses its own folder and lower floors only.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::paths::{self, UsedPath};
use super::source::{Source, Tree};
use super::tokens::{Kind, Token, matches_at};

pub const NAME: &str = "layers";

/// The floors of `crates/kernel/src`, lowest first; `docs/architecture.md` draws the same.
const FLOORS: [Floor; 9] = [
    Floor::open(&["base", "limits"]),
    Floor::closed(&["arch", "memory"]),
    Floor::closed(&["sched", "drivers"]),
    Floor::closed(&["net", "storage", "security"]),
    Floor::closed(&["cluster"]),
    Floor::closed(&["workloads", "mesh", "resilience"]),
    Floor::closed(&["observe"]),
    Floor::closed(&["shell", "api"]),
    Floor::open(&["kernel", "boot", "failure", "main", "lib"]),
];

/// Modules of one height.
struct Floor {
    modules: &'static [&'static str],
    /// Whether its modules may use each other: only the ground and the roof.
    is_open: bool,
}

impl Floor {
    const fn open(modules: &'static [&'static str]) -> Self {
        Self {
            modules,
            is_open: true,
        }
    }

    const fn closed(modules: &'static [&'static str]) -> Self {
        Self {
            modules,
            is_open: false,
        }
    }
}

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let kernel = tree
        .sources
        .iter()
        .filter_map(|source| Some((source.kernel_path()?, source)))
        .collect::<Vec<_>>();
    let macros = kernel
        .iter()
        .flat_map(|(_, source)| macro_names(&source.tokens))
        .collect::<BTreeSet<_>>();
    let mut findings = Vec::new();
    for (path, source) in kernel {
        let module = paths::module_of(path);
        let home = module
            .first()
            .map_or_else(|| path.trim_end_matches(".rs"), String::as_str);
        if path == "lib.rs" {
            findings.extend(only_declares(source));
            continue;
        }
        let Some(floor) = floor_of(home) else {
            findings.push(Finding::new(
                NAME,
                &source.path,
                1,
                format!("`{home}` stands on no floor"),
                "put it on one in FLOORS of xtask/src/lint/layers.rs and in docs/architecture.md",
            ));
            continue;
        };
        for used in paths::used(&source.tokens, &module) {
            findings.extend(judge(source, home, floor, &used, &macros));
        }
    }
    // An import with several leaves is one finding.
    findings.dedup();
    Ok(findings)
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS
        .iter()
        .position(|floor| floor.modules.contains(&module))
}

fn judge(
    source: &Source,
    home: &str,
    floor: usize,
    used: &UsedPath,
    macros: &BTreeSet<String>,
) -> Option<Finding> {
    let finding = |problem: String, advice| {
        Some(Finding::new(NAME, &source.path, used.line, problem, advice))
    };
    let target = used.segments.first().map_or("*", String::as_str);
    if target == home || macros.contains(target) {
        return None;
    }
    let Some(target_floor) = floor_of(target) else {
        return finding(
            format!("`{target}` of the crate's root stands on no floor"),
            "name the module that defines it, or give a new module its floor in xtask/src/lint/layers.rs",
        );
    };
    if target_floor < floor || (target_floor == floor && FLOORS[floor].is_open) {
        return None;
    }
    if target_floor == floor {
        return finding(
            format!("`{home}` uses `{target}`, its neighbour on floor {floor}"),
            "let kernel.rs pass the neighbour's view in as an input",
        );
    }
    finding(
        format!("`{home}` on floor {floor} uses `{target}` on floor {target_floor}"),
        "define the type it needs on its own floor or lower, and let the higher one feed it",
    )
}

/// Names that `macro_rules!` defines: an exported macro has no module.
fn macro_names(tokens: &[Token]) -> impl Iterator<Item = String> {
    tokens
        .windows(3)
        .filter(|window| matches_at(window, 0, &["macro_rules", "!"]))
        .map(|window| window[2].text.clone())
}

/// `lib.rs` is a list of modules; anything else in it belongs into one of them.
fn only_declares(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rest = source.tokens.as_slice();
    while let Some(first) = rest.first() {
        let length = declaration_length(rest);
        if length == 0 {
            findings.push(Finding::new(
                NAME,
                &source.path,
                first.line,
                "lib.rs holds more than declarations of modules",
                "move it into a module",
            ));
            break;
        }
        rest = &rest[length..];
    }
    findings
}

/// How many tokens the attribute, `mod name;` or `extern crate name;` at the front has; 0 when something else stands there.
fn declaration_length(tokens: &[Token]) -> usize {
    for attribute in [&["#", "["][..], &["#", "!", "["][..]] {
        if matches_at(tokens, 0, attribute) {
            return paths::group_end(tokens, attribute.len() - 1) + 1;
        }
    }
    for declaration in [&["pub", "mod"][..], &["mod"][..], &["extern", "crate"][..]] {
        let name_at = declaration.len();
        if matches_at(tokens, 0, declaration)
            && tokens
                .get(name_at)
                .is_some_and(|token| token.kind == Kind::Word)
            && matches_at(tokens, name_at + 1, &[";"])
        {
            return name_at + 2;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        findings(check(&tree(files)))
    }

    #[test]
    fn lower_floors_and_the_own_folder_may_be_used() {
        let scheduler = "use crate::arch::cpu;\nuse crate::base::{fixed::{Ring, Full}, time};\nuse super::queue::Queue;\n\
                         fn f() { crate::sched::queue::run(); crate::invariant!(true); }\n";
        let boot = "use crate::kernel::Kernel;\nuse rayos_kernel::shell;\n";
        let ring = "use crate::limits::TRACE_EVENTS_MAX;\nmacro_rules! invariant { () => {} }\n";
        assert_eq!(
            found(&[
                ("crates/kernel/src/sched/run.rs", scheduler),
                ("crates/kernel/src/boot.rs", boot),
                ("crates/kernel/src/base/trace.rs", ring),
            ]),
            [""; 0]
        );
    }

    #[test]
    fn a_higher_floor_is_out_of_reach_however_it_is_written() {
        for text in [
            "use crate::shell::Session;",
            "use crate::{base::time, shell::{self, Session}};",
            "fn f() { crate::shell::run() }",
            "use super::super::shell::Session;",
            "mod inner { use super::super::super::shell::Session; }",
            "type T = rayos_kernel::shell::Session;",
            "macro_rules! m { () => { $crate::shell::run() } }",
        ] {
            let findings = found(&[("crates/kernel/src/net/dhcp.rs", text)]);
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
            assert!(
                findings[0].starts_with("crates/kernel/src/net/dhcp.rs:1: layers: `net` on floor 3 uses `shell` on floor 7;"),
                "{findings:?}"
            );
        }
    }

    #[test]
    fn a_neighbour_on_the_same_floor_is_out_of_reach() {
        let findings = found(&[(
            "crates/kernel/src/memory/heap.rs",
            "\nuse crate::arch::cpu;",
        )]);
        assert_eq!(
            findings,
            [
                "crates/kernel/src/memory/heap.rs:2: layers: `memory` uses `arch`, its neighbour on floor 1; \
              let kernel.rs pass the neighbour's view in as an input"
            ]
        );
    }

    #[test]
    fn comments_and_strings_are_not_read() {
        let text =
            "//! See crate::shell.\n// use crate::shell;\nconst A: &str = \"crate::shell\";\n";
        assert_eq!(found(&[("crates/kernel/src/base/a.rs", text)]), [""; 0]);
    }

    #[test]
    fn a_module_without_a_floor_is_named() {
        assert_eq!(found(&[("crates/kernel/src/misc/mod.rs", "")]).len(), 1);
        assert_eq!(
            found(&[("crates/kernel/src/net/mod.rs", "use crate::misc::x;")]).len(),
            1
        );
        assert_eq!(
            found(&[("crates/kernel/src/net/mod.rs", "use crate::*;")]).len(),
            1
        );
    }

    #[test]
    fn lib_rs_only_declares_modules() {
        let list = "//! RayOS.\n#![no_std]\nextern crate alloc;\n#[macro_use]\npub mod limits;\nmod base;\n";
        assert_eq!(found(&[("crates/kernel/src/lib.rs", list)]), [""; 0]);
        let more = "pub mod base;\npub use base::time;\n";
        let findings = found(&[("crates/kernel/src/lib.rs", more)]);
        assert!(findings[0].starts_with("crates/kernel/src/lib.rs:2: layers: lib.rs holds more"));
    }
}
