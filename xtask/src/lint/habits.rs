//! Rule `tests`: a test waits for a condition, and says why when it does not run; so does a silenced warning.

use super::finding::Finding;
use super::paths::group_end;
use super::source::{Source, Tree};
use super::tokens::matches_at;

pub const NAME: &str = "tests";

/// The one place where a test may sleep: between two looks at a condition, until a deadline.
const POLLING_HELPER: &str = "tests/src/poll.rs";

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    Ok(tree.sources.iter().flat_map(check_source).collect())
}

fn check_source(source: &Source) -> Vec<Finding> {
    let tokens = &source.tokens;
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let mut add = |problem: &str, advice: &str| {
            findings.push(Finding::new(
                NAME,
                &source.path,
                token.line,
                problem,
                advice,
            ));
        };
        if token.is_test && source.path != POLLING_HELPER && is_sleep(source, at) {
            add(
                "a test that sleeps",
                "wait for the condition itself, with a deadline (`poll::until` in tests/src/poll.rs)",
            );
        }
        if matches_at(tokens, at, &["#", "[", "ignore", "]"]) {
            add(
                "a test that is ignored without a reason",
                "remove it, or say why: `#[ignore = \"...\"]`",
            );
        }
        for level in ["allow", "expect"] {
            if is_in_attribute(source, at)
                && matches_at(tokens, at, &[level, "("])
                && !tokens[at..group_end(tokens, at + 1)]
                    .iter()
                    .any(|token| token.text == "reason")
            {
                add(
                    &format!("`{level}` without a reason"),
                    "mend what the compiler warns of, or add `reason = \"...\"`",
                );
            }
        }
    }
    findings
}

/// `sleep(...)` as a function of its own or of `thread`; a method of that name may be what is tested.
fn is_sleep(source: &Source, at: usize) -> bool {
    let tokens = &source.tokens;
    let is_behind = |text: &str| at > 0 && matches_at(tokens, at - 1, &[text]);
    let is_path = is_behind(":");
    let is_threads = at >= 3 && matches_at(tokens, at - 3, &["thread", ":", ":"]);
    matches_at(tokens, at, &["sleep", "("])
        && (is_threads || !is_path)
        && !is_behind(".")
        && !is_behind("fn")
}

/// Whether the word at `at` is the first in `#[...]`, in `#![...]` or in an argument of `cfg_attr`.
fn is_in_attribute(source: &Source, at: usize) -> bool {
    let tokens = &source.tokens;
    let opens =
        |pattern: &[&str]| at >= pattern.len() && matches_at(tokens, at - pattern.len(), pattern);
    let is_in_cfg_attr = || {
        let line_start = tokens[..at]
            .iter()
            .rposition(|token| token.text == "cfg_attr");
        line_start.is_some_and(|start| group_end(tokens, start + 1) > at)
    };
    opens(&["#", "["]) || opens(&["#", "!", "["]) || (opens(&[","]) && is_in_cfg_attr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check(&tree(&[(path, text)])))
    }

    #[test]
    fn a_test_that_sleeps_is_found() {
        for text in [
            "fn f() { std::thread::sleep(ms(5)); }",
            "use std::thread::sleep;\nfn f() { sleep(ms(5)); }",
        ] {
            assert_eq!(found("tests/tests/boot.rs", text).len(), 1, "{text}");
            assert_eq!(found("tests/src/poll.rs", text), [""; 0]);
            assert_eq!(found("xtask/src/process.rs", text), [""; 0]);
            let inside = format!("#[cfg(test)]\nmod tests {{ {text} }}");
            assert_eq!(found("xtask/src/process.rs", &inside).len(), 1, "{inside}");
        }
        assert_eq!(
            found(
                "tests/tests/a.rs",
                "fn f() { scheduler.sleep(5); } fn sleep() {}"
            ),
            [""; 0]
        );
    }

    #[test]
    fn an_ignored_test_says_why() {
        assert_eq!(
            found("tests/tests/a.rs", "#[test]\n#[ignore]\nfn f() {}").len(),
            1
        );
        assert_eq!(
            found(
                "tests/tests/a.rs",
                "#[test]\n#[ignore = \"wants a stick\"]\nfn f() {}"
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_silenced_warning_says_why() {
        for bad in [
            "#[allow(dead_code)] fn f() {}",
            "#![expect(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))] fn f() {}",
        ] {
            assert_eq!(found("xtask/src/a.rs", bad).len(), 1, "{bad}");
        }
        for good in [
            "#[allow(dead_code, reason = \"read by the linker\")] fn f() {}",
            "fn f() { allow(1); expect(2); g(1, allow(2)); }",
        ] {
            assert_eq!(found("xtask/src/a.rs", good), [""; 0], "{good}");
        }
    }
}
