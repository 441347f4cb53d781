//! From the parts of a path and the lines of a body to one command line.
//!
//! Every word is quoted whole, so that no sign in it can begin another word, a filter
//! or another command.

use crate::base::fixed::Text;
use crate::limits::LINE_MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadLine {
    /// A percent sign without two hexadecimal digits behind it.
    Escape,
    NotText,
    ControlCharacter,
    TooLong,
}

impl BadLine {
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Escape => "a percent sign of the path has no two hexadecimal digits behind it",
            Self::NotText => "the arguments are not UTF-8 text",
            Self::ControlCharacter => "an argument has a control character",
            Self::TooLong => "the command is longer than LINE_MAX bytes",
        }
    }
}

pub type Line = Text<LINE_MAX>;

/// The command that the path and the body ask for: `net/ping/10.0.2.2`, one more argument
/// a line of the body.
pub fn build(path: &str, body: &[u8]) -> Result<Line, BadLine> {
    let mut line = Line::new();
    let path = path.strip_suffix('/').unwrap_or(path);
    for part in path.split('/') {
        let mut bytes = [0; LINE_MAX];
        let length = decode(part, &mut bytes)?;
        let word = core::str::from_utf8(&bytes[..length]).map_err(|_| BadLine::NotText)?;
        add_word(&mut line, word)?;
    }
    let body = core::str::from_utf8(body).map_err(|_| BadLine::NotText)?;
    for word in body.lines() {
        add_word(&mut line, word)?;
    }
    Ok(line)
}

/// Undoes `%20` (RFC 3986, 2.1); says how many bytes that gave.
fn decode(part: &str, out: &mut [u8; LINE_MAX]) -> Result<usize, BadLine> {
    let mut bytes = part.bytes();
    let mut length = 0;
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next().and_then(digit), bytes.next().and_then(digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(BadLine::Escape),
            },
            byte => byte,
        };
        *out.get_mut(length).ok_or(BadLine::TooLong)? = byte;
        length += 1;
    }
    Ok(length)
}

fn digit(byte: u8) -> Option<u8> {
    // Below 16.
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Adds a word in quotes. `'` is the one sign that single quotes cannot keep; it stands
/// between double quotes.
fn add_word(line: &mut Line, word: &str) -> Result<(), BadLine> {
    if word.chars().any(char::is_control) {
        return Err(BadLine::ControlCharacter);
    }
    let mut add = |text: &str| line.push_str(text).map_err(|_| BadLine::TooLong);
    if is_plain(word) {
        // As a person would type it, for the answer repeats it.
        add(word)?;
        return add(" ");
    }
    for (index, piece) in word.split('\'').enumerate() {
        if index > 0 {
            add("\"'\"")?;
        }
        add("'")?;
        add(piece)?;
        add("'")?;
    }
    add(" ")
}

/// Nothing but signs that mean themselves everywhere in a line.
fn is_plain(word: &str) -> bool {
    let means_itself = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/,=+@".contains(&byte);
    !word.is_empty() && word.bytes().all(means_itself) && !word.starts_with("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str, body: &str) -> Result<std::string::String, BadLine> {
        build(path, body.as_bytes()).map(|line| line.trim_end().into())
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(line("mem/status", ""), Ok("mem status".into()));
        assert_eq!(line("mem/status/", ""), Ok("mem status".into()));
        assert_eq!(
            line("net/ping/fe80::1", "3\n"),
            Ok("net ping fe80::1 3".into())
        );
        assert_eq!(line("a/10.0.0.0%2F8", ""), Ok("a 10.0.0.0/8".into()));
    }

    #[test]
    fn everything_else_is_quoted() {
        assert_eq!(line("echo/a%20b", ""), Ok("echo 'a b'".into()));
        assert_eq!(line("echo/%3Breboot", ""), Ok("echo ';reboot'".into()));
        assert_eq!(line("echo/a'b", ""), Ok("echo 'a'\"'\"'b'".into()));
        assert_eq!(
            line("echo//x", "--json\n|limit 1"),
            Ok("echo '' x '--json' '|limit 1'".into())
        );
        assert_eq!(line("", ""), Ok("''".into()));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(line("echo/%4", ""), Err(BadLine::Escape));
        assert_eq!(line("echo/%zz", ""), Err(BadLine::Escape));
        assert_eq!(line("echo/%ff", ""), Err(BadLine::NotText));
        for control in ["%00", "%03", "%0a", "%0d", "%1b", "%7f", "%c2%9b"] {
            assert_eq!(
                line(&std::format!("echo/{control}"), ""),
                Err(BadLine::ControlCharacter)
            );
        }
        assert_eq!(line("echo", "a\rb"), Err(BadLine::ControlCharacter));
        assert_eq!(line(&"a".repeat(LINE_MAX + 1), ""), Err(BadLine::TooLong));
        assert_eq!(
            line("echo", &"'".repeat(LINE_MAX / 2)),
            Err(BadLine::TooLong)
        );
    }
}
