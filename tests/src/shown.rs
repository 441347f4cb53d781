//! What a page shows of a session, as the pattern that a real session is compared with.
//!
//! Pages show real values. In a comparison a number stands for any number, a time for any time, a size for any size;
//! a line of three dots stands for any lines. What remains are the words, the rows and their order.

/// The lines of an answer as a page shows them, with the placeholders of scenarios in them.
pub fn patterns(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| pattern(line)).collect()
}

fn pattern(line: &str) -> String {
    if line.trim() == "..." {
        return "<any>".to_string();
    }
    let mut words: Vec<String> = line.split(' ').map(word_pattern).collect();
    let mut index = 1;
    // A number and its unit are one value: the next run may need another unit.
    while index < words.len() {
        let is_number = words[index - 1]
            .trim_start_matches(['-', '[', '('])
            .starts_with("<number>");
        let (unit, rest) = split_unit(&words[index]);
        match value_of_unit(unit).filter(|_| is_number) {
            Some(value) => {
                let joined = words[index - 1].replace("<number>", value) + rest;
                words[index - 1] = joined;
                words.remove(index);
            }
            None => index += 1,
        }
    }
    words.join(" ").replace("<number>", "<any>")
}

/// Digits become placeholders; a long run of hexadecimal digits is a register.
fn word_pattern(word: &str) -> String {
    let is_register = word.len() == 16 && word.chars().all(|digit| digit.is_ascii_hexdigit());
    if is_register {
        return "<any>".to_string();
    }
    let mut pattern = String::new();
    let mut rest = word;
    while let Some(at) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        pattern.push_str(before);
        if let Some(digits) = number.strip_prefix("0x") {
            let end = digits.find(|digit: char| !digit.is_ascii_hexdigit());
            rest = &digits[end.unwrap_or(digits.len())..];
            pattern.push_str("<hex>");
            continue;
        }
        let end = number.find(|digit: char| !digit.is_ascii_digit() && digit != '.');
        let number = &number[..end.unwrap_or(number.len())];
        let digits = number.trim_end_matches('.');
        rest = &rest[at + digits.len()..];
        pattern.push_str("<number>");
    }
    pattern + rest
}

fn split_unit(word: &str) -> (&str, &str) {
    let is_part = |character: char| character.is_ascii_alphabetic() || character == '%';
    let end = word.find(|character| !is_part(character));
    word.split_at(end.unwrap_or(word.len()))
}

fn value_of_unit(unit: &str) -> Option<&'static str> {
    match unit {
        "ns" | "us" | "ms" | "s" | "min" | "h" | "d" => Some("<time>"),
        "B" | "KiB" | "MiB" | "GiB" => Some("<any>B"),
        "Hz" | "kHz" | "MHz" | "GHz" => Some("<any>Hz"),
        "%" => Some("<any> %"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayos_sim::scenario::is_match;

    #[test]
    fn other_values_fit_and_other_words_do_not() {
        for (shown, real, fits) in [
            ("uptime  104.0 ms", "uptime  1.2 s", true),
            ("uptime  104.0 ms", "uptime  unknown", false),
            ("memory free  239.2 MiB", "memory free     1.0 GiB", true),
            ("0.050354 s after boot", "12.000001 s after boot", true),
            ("version  0.1.0", "version  0.2.0", true),
            ("0x1f idle-0", "0xffff idle-1", true),
            (
                "rax 00000000dead0000  rbx 0000000002b9a9cc",
                "rax 0000000000000001  rbx ffffffffffffffff",
                true,
            ),
            (
                "  -50.3 ms core 0 boot 0x12 0x0",
                "  -1.0 s core 1 boot 0xf 0x0",
                true,
            ),
            ("{\"free_bytes\":250871808}", "{\"free_bytes\":1}", true),
            ("serial  up", "serial  down", false),
            ("load 64.1 %", "load 5.0 %", true),
        ] {
            let result = is_match(&patterns(&[shown.to_string()]), &[real]);
            assert_eq!(result, fits, "{shown} | {real}");
        }
    }

    #[test]
    fn three_dots_are_any_lines() {
        let shown: Vec<String> = ["a", "...", "z"].map(String::from).into();
        assert!(is_match(&patterns(&shown), &["a", "b", "c", "z"]));
        assert!(!is_match(&patterns(&shown), &["a", "b"]));
    }
}
