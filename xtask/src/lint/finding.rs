//! A finding: where a rule is broken, and what to do about it.

use std::fmt;

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the workspace's root.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    pub rule: &'static str,
    pub problem: String,
    pub advice: String,
}

impl Finding {
    /// A finding of `rule` at `path:line`.
    pub fn new(
        rule: &'static str,
        path: &str,
        line: usize,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            problem: problem.into(),
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}: {}; {}",
            self.path, self.line, self.rule, self.problem, self.advice
        )
    }
}
