//! Compares an answer with what a scenario expects, placeholders included.
//!
//! `<int>`, `<hex>` and `<time>` stand for a measured value, `<any>` for any part of a
//! line, and a line of only `<any>` for any number of lines. Where an answer holds a
//! placeholder, the width of columns is not compared.

const PLACEHOLDERS: [&str; 4] = ["<int>", "<time>", "<hex>", "<any>"];
const ANY: &str = "<any>";
const TIME_UNITS: [&str; 7] = ["ns", "us", "ms", "s", "min", "h", "d"];

/// Is the answer what was expected?
pub fn is_match(expected: &[String], actual: &[&str]) -> bool {
    let is_exact = !expected.iter().any(|line| has_placeholder(line));
    if is_exact {
        return expected.iter().eq(actual.iter());
    }
    match_lines(expected, actual)
}

/// The answer with the placeholders of what was expected where they still fit.
pub fn keep_placeholders(expected: &[String], actual: &[&str]) -> Vec<String> {
    if is_match(expected, actual) {
        return expected.to_vec();
    }
    let mut next = 0;
    let mut lines = Vec::new();
    for line in actual {
        let rest = expected[next..].iter();
        let found = rest
            .enumerate()
            .find(|(_, old)| has_placeholder(old) && old.trim() != ANY && match_line(old, line));
        match found {
            Some((skipped, old)) => {
                next += skipped + 1;
                lines.push(old.clone());
            }
            None => lines.push((*line).to_string()),
        }
    }
    lines
}

fn has_placeholder(line: &str) -> bool {
    PLACEHOLDERS.iter().any(|name| line.contains(name))
}

fn match_lines(expected: &[String], actual: &[&str]) -> bool {
    match (expected.split_first(), actual.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.trim() == ANY => {
            (0..=actual.len()).any(|skipped| match_lines(rest, &actual[skipped..]))
        }
        (Some((first, rest)), Some((line, lines))) => {
            match_line(first, line) && match_lines(rest, lines)
        }
        _ => false,
    }
}

fn match_line(expected: &str, actual: &str) -> bool {
    let single_spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match_text(&single_spaced(expected), &single_spaced(actual))
}

fn match_text(expected: &str, actual: &str) -> bool {
    let places = PLACEHOLDERS
        .iter()
        .filter_map(|name| Some((expected.find(name)?, *name)));
    let Some((at, name)) = places.min() else {
        return expected == actual;
    };
    let rest = &expected[at + name.len()..];
    let Some(value) = actual.strip_prefix(&expected[..at]) else {
        return false;
    };
    let ends = value
        .char_indices()
        .map(|(index, _)| index)
        .chain([value.len()]);
    let mut ends = ends.filter(|end| is_value(name, &value[..*end]));
    ends.any(|end| match_text(rest, &value[end..]))
}

fn is_value(name: &str, text: &str) -> bool {
    match name {
        ANY => true,
        "<int>" => is_digits(text.strip_prefix('-').unwrap_or(text)),
        "<hex>" => {
            let digits = text.strip_prefix("0x").unwrap_or_default();
            !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_hexdigit())
        }
        _ => is_time(text),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit())
}

/// `1.5 us`, `0.123456 s`, `3 min 12 s`.
fn is_time(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let is_pair = |pair: &[&str]| match pair {
        [number, unit] => {
            let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
            is_digits(whole) && is_digits(decimals) && TIME_UNITS.contains(unit)
        }
        _ => false,
    };
    matches!(words.len(), 2 | 4) && words.chunks(2).all(is_pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_string()).collect()
    }

    #[test]
    fn placeholders_stand_for_values_of_their_kind() {
        let cases: [(&str, &str, bool); 15] = [
            ("uptime  <time>", "uptime  12.3 ms", true),
            ("uptime  <time>", "uptime  1 min 5 s", true),
            ("uptime  <time>", "uptime  12", false),
            ("uptime  <time>", "uptime  soon", false),
            ("cores  <int>", "cores     16", true),
            ("cores  <int>", "cores  unknown", false),
            ("cores  <int>", "cores  1 x", false),
            ("at <hex>", "at 0x2f", true),
            ("at <hex>", "at 2f", false),
            ("a <any> c", "a b b c", true),
            ("a <any> c", "a b b d", false),
            ("<int> <int>  <any>", " 1   2  x y", true),
            ("<int>.<int>", "12.34", true),
            ("plain", "plain", true),
            ("plain  text", "plain text", false),
        ];
        for (expected, actual, is_same) in cases {
            let result = is_match(&owned(&[expected]), &[actual]);
            assert_eq!(result, is_same, "{expected} | {actual}");
        }
    }

    #[test]
    fn a_line_of_only_any_stands_for_any_number_of_lines() {
        let expected = owned(&["a", "<any>", "z"]);
        assert!(is_match(&expected, &["a", "z"]));
        assert!(is_match(&expected, &["a", "b", "c", "z"]));
        assert!(!is_match(&expected, &["a", "b"]));
    }

    #[test]
    fn a_rewrite_keeps_the_placeholders_that_still_fit() {
        let expected = owned(&["uptime  <time>", "old", "ticks  <int>"]);
        let actual = ["version  1", "uptime  1.0 s", "ticks  many", "ticks  5"];
        assert_eq!(
            keep_placeholders(&expected, &actual),
            [
                "version  1",
                "uptime  <time>",
                "ticks  many",
                "ticks  <int>"
            ]
        );
    }
}
