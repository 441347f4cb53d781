//! What a dead key and the letter after it make together.

/// Accents as the dead keys print them, the letters that take them, and the results.
const ACCENTS: [(char, &str, &str); 4] = [
    ('^', "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
    ('´', "aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"),
    ('`', "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    ('¨', "aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"),
];

pub fn compose(accent: char, letter: char) -> Option<char> {
    let (_, letters, results) = ACCENTS.iter().find(|(sign, _, _)| *sign == accent)?;
    let index = letters.chars().position(|plain| plain == letter)?;
    results.chars().nth(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_table_has_its_result() {
        for (accent, letters, results) in ACCENTS {
            assert_eq!(letters.chars().count(), results.chars().count(), "{accent}");
        }
        assert_eq!(compose('¨', 'U'), Some('Ü'));
        assert_eq!(compose('^', 'x'), None);
        assert_eq!(compose('x', 'a'), None);
    }
}
