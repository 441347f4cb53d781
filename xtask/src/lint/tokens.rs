//! Rust source as a flat list of tokens: comments and strings cannot be mistaken for code.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// A word, one character of punctuation, an opening or closing bracket, or a literal as written.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// Whether it stands in code that only tests compile.
    pub is_test: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    Punctuation,
    Literal,
    Open,
    Close,
}

/// The tokens of a file; none when it is not Rust.
pub fn read(text: &str, is_test: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    if let Ok(stream) = text.parse() {
        flatten(stream, is_test, &mut tokens);
    }
    tokens
}

/// Whether the texts of the tokens from `at` on are `pattern`.
pub fn matches_at(tokens: &[Token], at: usize, pattern: &[&str]) -> bool {
    tokens.get(at..at + pattern.len()).is_some_and(|window| {
        window
            .iter()
            .zip(pattern)
            .all(|(token, text)| token.kind != Kind::Literal && token.text == *text)
    })
}

fn flatten(stream: TokenStream, is_test: bool, tokens: &mut Vec<Token>) {
    let trees = stream.into_iter().collect::<Vec<_>>();
    let mut is_test = is_test;
    // From an attribute that makes an item a test to the end of that item.
    let mut is_test_item = false;
    for (index, tree) in trees.iter().enumerate() {
        match attribute_at(&trees, index) {
            Some((Reach::WholeStream, attribute)) if makes_test(attribute) => is_test = true,
            Some((Reach::NextItem, attribute)) if makes_test(attribute) => is_test_item = true,
            _ => {}
        }
        push(tree, is_test || is_test_item, tokens);
        let ends_item = match tree {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        is_test_item &= !ends_item;
    }
}

fn push(tree: &TokenTree, is_test: bool, tokens: &mut Vec<Token>) {
    let mut token = |kind, text: String, line| {
        tokens.push(Token {
            kind,
            text,
            line,
            is_test,
        });
    };
    let line = tree.span().start().line;
    match tree {
        TokenTree::Ident(word) => token(Kind::Word, word.to_string(), line),
        TokenTree::Punct(punct) => token(Kind::Punctuation, punct.as_char().to_string(), line),
        TokenTree::Literal(literal) => token(Kind::Literal, literal.to_string(), line),
        TokenTree::Group(group) => {
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(", ")"),
                Delimiter::Brace => ("{", "}"),
                Delimiter::Bracket => ("[", "]"),
                Delimiter::None => ("", ""),
            };
            token(Kind::Open, open.to_owned(), line);
            flatten(group.stream(), is_test, tokens);
            tokens.push(Token {
                kind: Kind::Close,
                text: close.to_owned(),
                line: group.span_close().start().line,
                is_test,
            });
        }
    }
}

/// What an attribute speaks about.
enum Reach {
    /// `#[...]`
    NextItem,
    /// `#![...]`
    WholeStream,
}

/// The attribute whose `#` stands at `index`.
fn attribute_at(trees: &[TokenTree], index: usize) -> Option<(Reach, &Group)> {
    let is = |offset: usize, character| matches!(trees.get(index + offset), Some(TokenTree::Punct(punct)) if punct.as_char() == character);
    let group_at = |offset: usize| match trees.get(index + offset) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => Some(group),
        _ => None,
    };
    if !is(0, '#') {
        None
    } else if is(1, '!') {
        Some((Reach::WholeStream, group_at(2)?))
    } else {
        Some((Reach::NextItem, group_at(1)?))
    }
}

/// Whether an attribute is `test`, or a `cfg` that asks for it.
fn makes_test(attribute: &Group) -> bool {
    let mut trees = attribute.stream().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Ident(word)), None) => word == "test",
        (Some(TokenTree::Ident(word)), Some(TokenTree::Group(condition))) => {
            word == "cfg" && asks_for_test(condition.stream())
        }
        _ => false,
    }
}

fn asks_for_test(condition: TokenStream) -> bool {
    let mut is_negated = false;
    for tree in condition {
        match tree {
            TokenTree::Ident(word) if word == "test" => return true,
            TokenTree::Ident(word) => is_negated = word == "not",
            TokenTree::Group(group) if !is_negated && asks_for_test(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words, each with a star when only tests compile it.
    fn words(text: &str) -> String {
        let tokens = read(text, false);
        let words = tokens.iter().filter(|token| token.kind == Kind::Word);
        words
            .map(|token| format!("{}{} ", token.text, if token.is_test { "*" } else { "" }))
            .collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text = "fn f() { /* a /* b */ c */ let s = r#\"unsafe \"quoted\"\"#; } // d\n";
        assert_eq!(words(text), "fn f let s ");
    }

    #[test]
    fn tests_are_told_from_what_ships() {
        assert_eq!(
            words("fn a() {} #[cfg(test)] mod t { fn b() {} } fn c() {}"),
            "fn a cfg* test* mod* t* fn* b* fn c "
        );
        assert_eq!(words("#[cfg(not(test))] fn a() {}"), "cfg not test fn a ");
        assert_eq!(
            words("#[cfg(all(test, unix))] use a::b; use c;"),
            "cfg* all* test* unix* use* a* b* use c "
        );
        assert_eq!(words("#[test] fn a() {} fn b() {}"), "test* fn* a* fn b ");
        assert!(read("fn a() {}", true).iter().all(|token| token.is_test));
    }

    #[test]
    fn tokens_know_their_line() {
        let tokens = read("fn a() {\n    b\n}\n", false);
        let lines = tokens
            .iter()
            .map(|token| (token.text.as_str(), token.line))
            .collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                ("fn", 1),
                ("a", 1),
                ("(", 1),
                (")", 1),
                ("{", 1),
                ("b", 2),
                ("}", 3)
            ]
        );
        assert!(matches_at(&tokens, 1, &["a", "(", ")"]));
        assert!(!matches_at(&tokens, 5, &["b", "}", "c"]));
    }
}
