//! What may stand behind a bar: `where`, `sort`, `limit`, `json`, `match`.

use super::parse_error::{ParseError, shown};
use core::cmp::Ordering;

/// The names of all filters, for completion, help and corrections.
pub const FILTER_NAMES: [&str; 5] = ["where", "sort", "limit", "match", "json"];

/// One line each, for `help` and for what is wrong with a filter.
pub const FILTER_USAGE: [(&str, &str); 5] = [
    ("where", "where COLUMN=VALUE (or != < > <= >=)"),
    ("sort", "sort COLUMN [desc]"),
    ("limit", "limit N"),
    ("match", "match TEXT"),
    ("json", "json"),
];

/// One step that the rows of a report go through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter<'a> {
    Where {
        column: &'a str,
        relation: Relation,
        value: &'a str,
    },
    Sort {
        column: &'a str,
        is_descending: bool,
    },
    Limit(usize),
    Match(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Relation {
    /// Two characters before one, so that `<=` is not taken for `<`.
    const SIGNS: [(&'static str, Self); 6] = [
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    /// Whether a cell that compares so with the value stays.
    pub fn admits(self, cell_to_value: Ordering) -> bool {
        match self {
            Self::Equal => cell_to_value.is_eq(),
            Self::NotEqual => cell_to_value.is_ne(),
            Self::Less => cell_to_value.is_lt(),
            Self::Greater => cell_to_value.is_gt(),
            Self::LessOrEqual => cell_to_value.is_le(),
            Self::GreaterOrEqual => cell_to_value.is_ge(),
        }
    }
}

/// What a filter asks for: a step for the rows, or the JSON face.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked<'a> {
    Step(Filter<'a>),
    Json,
}

impl<'a> Filter<'a> {
    /// `words` begin with the filter's name; `arguments` is the rest of them as one text.
    pub fn parse(words: &[&'a str], arguments: &'a str) -> Result<Asked<'a>, ParseError> {
        let Some((name, operands)) = words.split_first() else {
            return Err(ParseError::unknown_filter(""));
        };
        let usage = |name| Err(ParseError::FilterUsage { usage: usage(name) });
        let filter = match (*name, operands) {
            ("where", [_, ..]) => match split_relation(arguments) {
                Some((column, relation, value)) => Self::Where {
                    column,
                    relation,
                    value,
                },
                None => return usage("where"),
            },
            ("sort", [column]) => Self::Sort {
                column,
                is_descending: false,
            },
            ("sort", [column, "desc"]) => Self::Sort {
                column,
                is_descending: true,
            },
            ("limit", [count]) => match count.parse() {
                Ok(count) => Self::Limit(count),
                Err(_) => {
                    return Err(ParseError::LimitNotANumber {
                        given: shown(count),
                    });
                }
            },
            ("match", [_, ..]) => Self::Match(arguments),
            ("json", []) => return Ok(Asked::Json),
            ("where" | "sort" | "limit" | "match" | "json", _) => return usage(name),
            _ => return Err(ParseError::unknown_filter(name)),
        };
        Ok(Asked::Step(filter))
    }
}

fn usage(name: &str) -> &'static str {
    FILTER_USAGE
        .iter()
        .find(|(other, _)| *other == name)
        .map_or("", |(_, usage)| usage)
}

/// Splits at the first relation; the column must have a name, the value may be empty.
fn split_relation(text: &str) -> Option<(&str, Relation, &str)> {
    let at = text.find(['=', '!', '<', '>'])?;
    let (column, rest) = text.split_at(at);
    let (sign, relation) = Relation::SIGNS
        .iter()
        .find(|(sign, _)| rest.starts_with(sign))?;
    let column = column.trim();
    let value = rest[sign.len()..].trim();
    (!column.is_empty()).then_some((column, *relation, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_found_with_and_without_blanks() {
        let cases = [
            ("state=ready", ("state", Relation::Equal, "ready")),
            ("core != 0", ("core", Relation::NotEqual, "0")),
            ("used>= 10", ("used", Relation::GreaterOrEqual, "10")),
            ("used <=10", ("used", Relation::LessOrEqual, "10")),
            ("a<b=c", ("a", Relation::Less, "b=c")),
            ("name=", ("name", Relation::Equal, "")),
            ("name > two words", ("name", Relation::Greater, "two words")),
        ];
        for (text, expected) in cases {
            assert_eq!(split_relation(text), Some(expected), "{text}");
        }
        for text in ["state", "=ready", "!", "a!b"] {
            assert_eq!(split_relation(text), None, "{text}");
        }
    }

    #[test]
    fn a_relation_admits_what_its_sign_says() {
        use Ordering::{Equal, Greater, Less};
        for (relation, admitted) in [
            (Relation::Equal, [false, true, false]),
            (Relation::NotEqual, [true, false, true]),
            (Relation::Less, [true, false, false]),
            (Relation::Greater, [false, false, true]),
            (Relation::LessOrEqual, [true, true, false]),
            (Relation::GreaterOrEqual, [false, true, true]),
        ] {
            let seen = [Less, Equal, Greater].map(|ordering| relation.admits(ordering));
            assert_eq!(seen, admitted, "{relation:?}");
        }
    }
}
