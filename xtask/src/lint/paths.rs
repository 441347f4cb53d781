//! Finds the paths into the own crate that a file of the kernel uses.

use super::tokens::{Kind, Token, matches_at};

/// A path from the crate's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPath {
    pub line: usize,
    /// `crate::base::time` as `["base", "time"]`; a glob as `*`.
    pub segments: Vec<String>,
}

/// The module that a file is, from its path inside `src`: `net/dhcp.rs` is `["net", "dhcp"]`.
pub fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    match stem {
        "lib" | "main" => Vec::new(),
        _ => stem.split('/').map(str::to_owned).collect(),
    }
}

/// Every path of a file that begins at the crate's root, or climbs with `super`.
pub fn used(tokens: &[Token], file_module: &[String]) -> Vec<UsedPath> {
    let mut used = Vec::new();
    let mut module = file_module.to_vec();
    // How deep the braces are nested, and at which depths a module was opened.
    let mut depth = 0;
    let mut module_depths = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let mut next = at + 1;
        match (token.kind, token.text.as_str()) {
            (Kind::Open, "{") => {
                depth += 1;
                if at >= 2 && matches_at(tokens, at - 2, &["mod"]) {
                    module.push(tokens[at - 1].text.clone());
                    module_depths.push(depth);
                }
            }
            (Kind::Close, "}") => {
                if module_depths.last() == Some(&depth) {
                    module_depths.pop();
                    module.pop();
                }
                depth -= 1;
            }
            (Kind::Word, first) if begins_path(tokens, at) => {
                if let Some(prefix) = prefix_of(first, &module) {
                    next = read_tree(tokens, at + 3, prefix, &mut used);
                }
            }
            _ => {}
        }
        at = next;
    }
    used
}

/// The position of the bracket that closes the one at `open`; the last token when none does.
pub fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// Whether a word is followed by `::` and is not itself behind one.
fn begins_path(tokens: &[Token], at: usize) -> bool {
    matches_at(tokens, at + 1, &[":", ":"]) && !(at >= 2 && matches_at(tokens, at - 2, &[":", ":"]))
}

/// The module that the first word of a path stands for, when it is in this crate and above the own module.
fn prefix_of(first: &str, module: &[String]) -> Option<Vec<String>> {
    match first {
        "crate" | "rayos_kernel" => Some(Vec::new()),
        "super" => Some(parent(module)),
        _ => None,
    }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Reads what follows `prefix::`, which may be a tree of paths, and says where it ends.
fn read_tree(tokens: &[Token], at: usize, prefix: Vec<String>, used: &mut Vec<UsedPath>) -> usize {
    let Some(token) = tokens.get(at) else {
        return at;
    };
    let mut emit = |segments| {
        used.push(UsedPath {
            line: token.line,
            segments,
        });
    };
    let has_more = matches_at(tokens, at + 1, &[":", ":"]);
    match (token.kind, token.text.as_str()) {
        (Kind::Open, "{") => {
            let end = group_end(tokens, at);
            let mut next = at + 1;
            while next < end {
                // Behind a branch stands a comma, or `as name` and a comma.
                let after = read_tree(tokens, next, prefix.clone(), used);
                let comma = (after..end).find(|&at| matches_at(tokens, at, &[","]));
                next = comma.unwrap_or(end) + 1;
            }
            end + 1
        }
        (Kind::Word, "super") if has_more => read_tree(tokens, at + 3, parent(&prefix), used),
        (Kind::Word, "self") => {
            emit(prefix);
            at + 1
        }
        (Kind::Word, word) => {
            let mut segments = prefix;
            segments.push(word.to_owned());
            let continues = has_more
                && tokens.get(at + 3).is_some_and(|next| {
                    next.kind == Kind::Word
                        || matches_at(tokens, at + 3, &["{"])
                        || next.text == "*"
                });
            if continues {
                return read_tree(tokens, at + 3, segments, used);
            }
            emit(segments);
            at + 1
        }
        (Kind::Punctuation, "*") => {
            let mut segments = prefix;
            segments.push("*".to_owned());
            emit(segments);
            at + 1
        }
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tokens;

    fn read(text: &str) -> Vec<String> {
        let module = module_of("net/dhcp/lease.rs");
        let found = used(&tokens::read(text, false), &module);
        found.iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn a_file_is_the_module_that_its_path_says() {
        assert_eq!(module_of("net/dhcp/mod.rs"), ["net", "dhcp"]);
        assert_eq!(module_of("limits.rs"), ["limits"]);
        assert_eq!(module_of("main.rs"), [""; 0]);
    }

    #[test]
    fn trees_of_imports_are_read_to_their_leaves() {
        assert_eq!(
            read("use crate::{a::{self, b as c, d::*}, e, f::g};"),
            ["a", "a::b", "a::d::*", "e", "f::g"]
        );
    }

    #[test]
    fn super_climbs_from_where_it_stands() {
        assert_eq!(read("use super::x;"), ["net::dhcp::x"]);
        assert_eq!(read("use super::super::super::x;"), ["x"]);
        assert_eq!(
            read("mod a { mod b { use super::x; } use super::y; } use super::z;"),
            [
                "net::dhcp::lease::a::x",
                "net::dhcp::lease::y",
                "net::dhcp::z"
            ]
        );
        assert_eq!(
            read("use super::{super::x, y};"),
            ["net::x", "net::dhcp::y"]
        );
    }

    #[test]
    fn paths_in_expressions_and_types_count_and_others_do_not() {
        assert_eq!(
            read("fn f(a: crate::b::C<u8>) { crate::d::e::<u8>(1); }"),
            ["b::C", "d::e"]
        );
        assert_eq!(
            read("pub(crate) fn f() { core::mem::take(x); self::g(); a::crate_::b(); }"),
            [""; 0]
        );
    }
}
