//! Reads what cargo and the test harness print, line by line.

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A test binary starts.
    Binary(String),
    Test {
        name: String,
        verdict: Verdict,
    },
    /// A test binary is done.
    Summary {
        passed: u32,
        failed: u32,
        seconds: Option<f64>,
    },
    /// Something of the harness that the reader of results knows already.
    Noise,
    /// Anything else: a compiler's progress, a failed test's output.
    Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    /// With the reason that the test gives.
    Skipped(Option<String>),
}

pub fn read(line: &str) -> Line {
    let trimmed = line.trim_start();
    if let Some(rest) = trimmed.strip_prefix("Running ") {
        // "Running unittests src/lib.rs (target/debug/deps/xtask-46f36e54effcdcd6)"
        if let Some((what, path)) = rest.split_once(" (") {
            return Line::Binary(binary_name(what, path.trim_end_matches(')')));
        }
    }
    if let Some(package) = trimmed.strip_prefix("Doc-tests ") {
        return Line::Binary(format!("{package} documentation"));
    }
    if let Some(summary) = line.strip_prefix("test result: ") {
        return read_summary(summary).unwrap_or(Line::Text);
    }
    if let Some(test) = line.strip_prefix("test ").and_then(read_test) {
        return test;
    }
    let is_count = line
        .strip_prefix("running ")
        .is_some_and(|rest| rest.ends_with(" tests") || rest.ends_with(" test"));
    if is_count || trimmed.is_empty() || trimmed.starts_with("error: test failed, to rerun pass") {
        return Line::Noise;
    }
    Line::Text
}

/// "xtask src/lib.rs" from the source and the path of the binary, whose name ends with a hash.
fn binary_name(what: &str, path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let package = file.rsplit_once('-').map_or(file, |(package, _)| package);
    format!("{package} {}", what.trim_start_matches("unittests "))
}

fn read_test(rest: &str) -> Option<Line> {
    let (name, verdict) = rest.rsplit_once(" ... ")?;
    let verdict = match verdict {
        "ok" => Verdict::Passed,
        "FAILED" => Verdict::Failed,
        "ignored" => Verdict::Skipped(None),
        other => Verdict::Skipped(Some(other.strip_prefix("ignored, ")?.to_string())),
    };
    Some(Line::Test {
        name: name.to_string(),
        verdict,
    })
}

/// "ok. 48 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.23s"
fn read_summary(text: &str) -> Option<Line> {
    let count = |what: &str| {
        let parts = text.split([';', '.']).map(str::trim);
        parts
            .filter_map(|part| part.strip_suffix(what)?.trim().parse().ok())
            .next()
    };
    let seconds = text
        .rsplit_once("finished in ")
        .and_then(|(_, time)| time.trim_end_matches('s').parse().ok());
    Some(Line::Summary {
        passed: count(" passed")?,
        failed: count(" failed")?,
        seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_are_named_by_package_and_source() {
        let lib = "     Running unittests src/lib.rs (target/debug/deps/xtask-46f36e54effcdcd6)";
        assert_eq!(read(lib), Line::Binary("xtask src/lib.rs".to_string()));
        let test = "     Running tests/boot.rs (/a/target/debug/deps/boot-0123456789abcdef)";
        assert_eq!(read(test), Line::Binary("boot tests/boot.rs".to_string()));
        assert_eq!(
            read("   Doc-tests xtask"),
            Line::Binary("xtask documentation".to_string())
        );
    }

    #[test]
    fn verdicts_are_read_with_the_reason_of_a_skip() {
        let verdict = |line: &str| match read(line) {
            Line::Test { name, verdict } => (name, verdict),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            verdict("test a::b ... ok"),
            ("a::b".to_string(), Verdict::Passed)
        );
        assert_eq!(
            verdict("test a::b ... FAILED"),
            ("a::b".to_string(), Verdict::Failed)
        );
        assert_eq!(
            verdict("test a ... ignored"),
            ("a".to_string(), Verdict::Skipped(None))
        );
        let reason = Verdict::Skipped(Some("needs a stick".to_string()));
        assert_eq!(
            verdict("test a ... ignored, needs a stick"),
            ("a".to_string(), reason)
        );
    }

    #[test]
    fn a_summary_gives_its_counts() {
        let line = "test result: FAILED. 48 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.23s";
        assert_eq!(
            read(line),
            Line::Summary {
                passed: 48,
                failed: 2,
                seconds: Some(0.23)
            }
        );
    }

    #[test]
    fn what_a_test_prints_is_text_and_the_harness_itself_is_noise() {
        assert_eq!(read("test tube broken"), Line::Text);
        assert_eq!(read("Running out of memory"), Line::Text);
        assert_eq!(read("   Compiling xtask v0.1.0"), Line::Text);
        assert_eq!(read("running 2 tests"), Line::Noise);
        assert_eq!(read("running 1 test"), Line::Noise);
    }
}
