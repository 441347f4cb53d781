//! Rule `shortcuts`: what ships has no unfinished places, and panics only where an invariant is stated.

use super::finding::Finding;
use super::paths::group_end;
use super::source::Tree;
use super::tokens::{Kind, Token, matches_at};

pub const NAME: &str = "shortcuts";

/// Code that may stand in tests only, and what to write instead.
const SHORTCUTS: [(&[&str], &str); 6] = [
    (&["todo", "!"], "write it, or leave out what needs it"),
    (
        &["unimplemented", "!"],
        "write it, or leave out what needs it",
    ),
    (&[".", "unwrap", "("], INSTEAD_OF_UNWRAP),
    (&[".", "expect", "("], INSTEAD_OF_UNWRAP),
    (&[".", "unwrap_err", "("], INSTEAD_OF_UNWRAP),
    (&[".", "expect_err", "("], INSTEAD_OF_UNWRAP),
];

const INSTEAD_OF_UNWRAP: &str =
    "return the error, handle the empty case, or state the invariant with `invariant!`";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        for (at, token) in source.tokens.iter().enumerate() {
            if token.is_test {
                continue;
            }
            for (pattern, advice) in SHORTCUTS {
                if matches_at(&source.tokens, at, pattern)
                    && !has_second_argument(&source.tokens, at + pattern.len() - 1)
                {
                    // The line of the word: a chain of calls may have the dot on another.
                    let line = source.tokens[at + usize::from(pattern[0] == ".")].line;
                    let problem = format!("`{}` outside of tests", pattern.concat());
                    findings.push(Finding::new(NAME, &source.path, line, problem, advice));
                }
            }
        }
    }
    Ok(findings)
}

/// Whether the call whose `(` stands at `open` has two arguments: then it is a method of our own by the same name.
fn has_second_argument(tokens: &[Token], open: usize) -> bool {
    let end = group_end(tokens, open);
    let mut at = open + 1;
    while at < end {
        if tokens[at].kind == Kind::Open {
            at = group_end(tokens, at);
        } else if matches_at(tokens, at, &[","]) {
            return at + 1 < end;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    #[test]
    fn shortcuts_in_what_ships_are_found() {
        for (text, shortcut) in [
            ("fn f() { todo!() }", "todo!"),
            ("fn f() { unimplemented!(\"later\") }", "unimplemented!"),
            ("fn f() { g().unwrap(); }", ".unwrap("),
            ("fn f() { h!(g().expect(\"a g\")); }", ".expect("),
            ("fn f() { g().expect(&text(1, 2),); }", ".expect("),
        ] {
            let findings = findings(check(&tree(&[("xtask/src/a.rs", text)])));
            assert_eq!(findings.len(), 1, "{text}");
            assert!(
                findings[0].contains(&format!("`{shortcut}` outside of tests")),
                "{findings:?}"
            );
        }
    }

    #[test]
    fn tests_and_look_alikes_are_left_alone() {
        let files = [
            (
                "xtask/src/a.rs",
                "#[cfg(test)]\nmod tests { fn f() { g().unwrap(); } }",
            ),
            ("xtask/src/a/tests.rs", "fn f() { g().expect(\"a g\"); }"),
            ("tests/src/lib.rs", "fn f() { g().unwrap(); }"),
            (
                "xtask/src/b.rs",
                "/// `g().unwrap()`\nfn f() { g().unwrap_or(1); todo(); line.expect(text, soon()); }",
            ),
        ];
        assert_eq!(findings(check(&tree(&files))), [""; 0]);
    }
}
