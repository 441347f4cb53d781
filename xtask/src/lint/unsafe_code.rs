//! Rule `unsafe`: unsafe code stands in `arch/` and `memory/` only, each piece with its reason.

use super::finding::Finding;
use super::source::{Source, Tree};
use super::tokens::{Kind, Token, matches_at};

pub const NAME: &str = "unsafe";

/// The only folders with unsafe code.
const FOLDERS: [&str; 2] = ["crates/kernel/src/arch/", "crates/kernel/src/memory/"];

pub fn check(tree: &Tree) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for source in &tree.sources {
        let is_allowed = FOLDERS.iter().any(|folder| source.path.starts_with(folder));
        for (at, token) in source.tokens.iter().enumerate() {
            if token.kind != Kind::Word || token.text != "unsafe" {
                continue;
            }
            let finding = |problem: &str, advice: &str| {
                Finding::new(NAME, &source.path, token.line, problem, advice)
            };
            if !is_allowed {
                findings.push(finding(
                    "unsafe code outside of crates/kernel/src/arch and memory",
                    "put a safe function around it there and call that",
                ));
            } else if let Some((what, reason)) = owed_reason(&source.tokens, at)
                && !has_reason(source, at, reason)
            {
                findings.push(finding(
                    &format!("{what} without its reason"),
                    &format!(
                        "say right above it, in a comment with `{}`, {}",
                        reason.marker(),
                        reason.question()
                    ),
                ));
            }
        }
    }
    Ok(findings)
}

/// Who has to be told what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// To the reader: why this is sound.
    Sound,
    /// To the caller: what has to hold.
    Contract,
}

impl Reason {
    fn marker(self) -> &'static str {
        match self {
            Self::Sound => "SAFETY:",
            Self::Contract => "# Safety",
        }
    }

    fn question(self) -> &'static str {
        match self {
            Self::Sound => "why it is sound",
            Self::Contract => "what its caller has to uphold",
        }
    }
}

/// What the `unsafe` at `at` introduces, and the reason that it owes. Attributes, types of functions and declarations
/// of what the linker knows owe none.
fn owed_reason(tokens: &[Token], at: usize) -> Option<(&'static str, Reason)> {
    let follows = |pattern: &[&str]| matches_at(tokens, at + 1, pattern);
    if follows(&["{"]) {
        Some(("an unsafe block", Reason::Sound))
    } else if follows(&["impl"]) {
        Some(("an unsafe impl", Reason::Sound))
    } else if follows(&["trait"]) {
        Some(("an unsafe trait", Reason::Contract))
    } else if is_function(tokens, at) && !is_in_trait_impl(tokens, at) {
        Some(("an unsafe function", Reason::Contract))
    } else {
        None
    }
}

/// Whether `unsafe` is followed by `fn` with a name, or by `extern "C" fn` with one: a type of functions has none.
fn is_function(tokens: &[Token], at: usize) -> bool {
    let mut next = at + 1;
    if matches_at(tokens, next, &["extern"]) {
        let has_convention = tokens
            .get(next + 1)
            .is_some_and(|token| token.kind == Kind::Literal);
        next += 1 + usize::from(has_convention);
    }
    matches_at(tokens, next, &["fn"])
        && tokens
            .get(next + 1)
            .is_some_and(|token| token.kind == Kind::Word)
}

/// Whether the innermost braces around `at` are those of `impl Trait for Type`: the contract stands in the trait.
fn is_in_trait_impl(tokens: &[Token], at: usize) -> bool {
    let mut depth = 0usize;
    let open = tokens[..at].iter().rposition(|token| match token.kind {
        Kind::Close => {
            depth += 1;
            false
        }
        Kind::Open if depth > 0 => {
            depth -= 1;
            false
        }
        kind => kind == Kind::Open,
    });
    let Some(open) = open else {
        return false;
    };
    let header = &tokens[item_start(tokens, open)..open];
    ["impl", "for"]
        .iter()
        .all(|word| header.iter().any(|token| token.text == *word))
}

/// Whether the comment on the line, above it, or above the statement that the line belongs to gives the reason.
fn has_reason(source: &Source, at: usize, reason: Reason) -> bool {
    let line = source.tokens[at].line;
    let statement = statement_line(&source.tokens, at);
    // A function of a trait has its contract in the trait; where it is implemented, it says why it keeps it.
    let says = |text: &str| text.contains(reason.marker()) || text.contains(Reason::Sound.marker());
    [line, statement].into_iter().any(|line| {
        comment_of(source.line(line)).is_some_and(says) || comment_above(source, line).any(says)
    })
}

/// The line on which the statement or item around `at` begins.
fn statement_line(tokens: &[Token], at: usize) -> usize {
    tokens[item_start(tokens, at)].line
}

/// The first token of the statement or item around `at`.
fn item_start(tokens: &[Token], at: usize) -> usize {
    let ends = |token: &Token| {
        matches!(token.text.as_str(), ";" | "{" | "}") && token.kind != Kind::Literal
    };
    tokens[..at]
        .iter()
        .rposition(ends)
        .map_or(0, |before| before + 1)
}

/// The lines right above `line` that are comments or attributes, nearest first.
fn comment_above(source: &Source, line: usize) -> impl Iterator<Item = &str> {
    let above = source
        .text
        .lines()
        .take(line.saturating_sub(1))
        .collect::<Vec<_>>();
    above.into_iter().rev().map(str::trim).take_while(|text| {
        text.starts_with("//")
            || text.starts_with("#[")
            || text.starts_with("*/")
            || text.starts_with("/*")
    })
}

fn comment_of(text: &str) -> Option<&str> {
    Some(&text[text.find("//")?..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::{findings, tree};

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check(&tree(&[(path, text)])))
    }

    const ARCH: &str = "crates/kernel/src/arch/port.rs";

    #[test]
    fn unsafe_code_elsewhere_is_found_whatever_it_is() {
        for text in [
            "fn f() { unsafe { g() } }",
            "unsafe impl Send for S {}",
            "#[unsafe(no_mangle)] extern \"C\" fn f() {}",
            "#[unsafe(link_section = \".x\")] static S: u8 = 0;",
        ] {
            for path in [
                "crates/kernel/src/shell/mod.rs",
                "xtask/src/main.rs",
                "tests/src/lib.rs",
            ] {
                assert_eq!(found(path, text).len(), 1, "{path}: {text}");
            }
        }
        assert_eq!(
            found(
                "xtask/src/main.rs",
                "// unsafe\nconst A: &str = \"unsafe\";"
            ),
            [""; 0]
        );
    }

    #[test]
    fn each_piece_of_unsafe_code_gives_its_reason() {
        for text in [
            "fn f() {\n    // SAFETY: the port is ours.\n    unsafe { g() }\n}",
            "fn f() {\n    // SAFETY: the port\n    // is ours.\n    let x =\n        unsafe { g() };\n}",
            "fn f() { unsafe { g() } // SAFETY: the port is ours.\n}",
            "// SAFETY: it is only a number.\nunsafe impl Send for S {}",
            "/// Reads.\n///\n/// # Safety\n///\n/// The port is ours.\n#[inline]\npub unsafe fn read() {}",
            "/// # Safety\n/// As C says.\npub unsafe extern \"C\" fn read() {}",
            "#[unsafe(no_mangle)]\nextern \"C\" fn f() {}",
            "unsafe extern \"C\" { static START: u8; }",
            "// SAFETY: it has a lock.\nunsafe impl GlobalAlloc for H { fn a() {} unsafe fn alloc(&self) {} }",
            "type Entry = unsafe extern \"C\" fn(u64);",
        ] {
            assert_eq!(found(ARCH, text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_missing_reason_is_found() {
        for (text, line, what) in [
            ("fn f() {\n    unsafe { g() }\n}", 2, "an unsafe block"),
            (
                "// SAFETY: for another.\nfn f() {\n    unsafe { g() }\n}",
                3,
                "an unsafe block",
            ),
            (
                "// It is only a number.\nunsafe impl Send for S {}",
                2,
                "an unsafe impl",
            ),
            (
                "/// Reads.\npub unsafe fn read() {}",
                2,
                "an unsafe function",
            ),
            ("pub unsafe trait T {}", 1, "an unsafe trait"),
            (
                "impl Heap { unsafe fn grow(&self) {} }",
                1,
                "an unsafe function",
            ),
        ] {
            let findings = found(ARCH, text);
            assert_eq!(findings.len(), 1, "{text}");
            let expected = format!("{ARCH}:{line}: unsafe: {what} without its reason; ");
            assert!(findings[0].starts_with(&expected), "{findings:?}");
        }
    }
}
