//! The JSON face: one line an answer, as outside programs rely on it.
//!
//! Numbers are in base units, unknown is `null`; keys, once shipped, stay.

use super::Place;
use crate::base::report::{BlockKind, BlockView, Report, Value};
use core::fmt::{self, Write};

/// Writes the part of the answer that stands at `place`.
pub fn write_unit(report: &Report, place: Place, out: &mut dyn Write) -> fmt::Result {
    match place {
        Place::Start => write_start(report, out),
        Place::Open(index) => write_open(report, index, out),
        Place::Row(index, row) => write_row(report, index, row, out),
        Place::Close(index) => write_close(report, index, out),
        Place::End => write_end(report, out),
        Place::Done => Ok(()),
    }
}

fn write_start(report: &Report, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{{\"command\":{},", Quoted(report.command()))?;
    match report.error() {
        Some(error) => write!(out, "\"ok\":false,\"error\":{}", Quoted(error)),
        None => out.write_str("\"ok\":true,\"report\":["),
    }
}

fn write_open(report: &Report, index: usize, out: &mut dyn Write) -> fmt::Result {
    let Some(block) = report.block(index) else {
        return Ok(());
    };
    let comma = if index > 0 { "," } else { "" };
    let kind = block.kind();
    write!(
        out,
        "{comma}{{\"kind\":{},\"title\":{},",
        Quoted(kind.name()),
        Quoted(block.title())
    )?;
    match kind {
        BlockKind::Fields => out.write_str("\"fields\":{"),
        BlockKind::Text => out.write_str("\"lines\":["),
        BlockKind::Table => {
            out.write_str("\"columns\":[")?;
            for (column, name) in block.columns().iter().enumerate() {
                let comma = if column > 0 { "," } else { "" };
                write!(out, "{comma}{}", Quoted(name))?;
            }
            out.write_str("],\"rows\":[")
        }
    }
}

fn write_row(report: &Report, index: usize, row: usize, out: &mut dyn Write) -> fmt::Result {
    let Some(block) = report.block(index) else {
        return Ok(());
    };
    if row > 0 {
        out.write_char(',')?;
    }
    match block.kind() {
        BlockKind::Fields => {
            write!(out, "{}:", Quoted(block.key(row, 1)))?;
            write_value(block.value(row, 1), out)
        }
        BlockKind::Text => write_value(block.value(row, 0), out),
        BlockKind::Table => write_table_row(&block, row, out),
    }
}

fn write_table_row(block: &BlockView<'_>, row: usize, out: &mut dyn Write) -> fmt::Result {
    for column in 0..block.columns().len() {
        out.write_char(if column == 0 { '[' } else { ',' })?;
        write_value(block.value(row, column), out)?;
    }
    out.write_char(']')
}

fn write_close(report: &Report, index: usize, out: &mut dyn Write) -> fmt::Result {
    match report.block(index).map(|block| block.kind()) {
        Some(BlockKind::Fields) => out.write_str("}}"),
        Some(_) => out.write_str("]}"),
        None => Ok(()),
    }
}

fn write_end(report: &Report, out: &mut dyn Write) -> fmt::Result {
    if report.error().is_none() {
        out.write_char(']')?;
    }
    if report.is_cut() {
        out.write_str(",\"cut\":true")?;
    }
    out.write_str("}\n")
}

fn write_value(value: Value<'_>, out: &mut dyn Write) -> fmt::Result {
    match value {
        Value::Unknown | Value::Ratio { to: 0, .. } => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Count(count) => write!(out, "{count}"),
        Value::Signed(number) => write!(out, "{number}"),
        Value::Ratio { of, to } => write_ratio(u128::from(of), u128::from(to), out),
        Value::Text(text) => write!(out, "{}", Quoted(text)),
        Value::Format(text) => {
            out.write_char('"')?;
            fmt::write(&mut Escaping(out), text)?;
            out.write_char('"')
        }
    }
}

/// A decimal number, rounded to six places, without zeros at its end.
fn write_ratio(of: u128, to: u128, out: &mut dyn Write) -> fmt::Result {
    const PLACES: u128 = 1_000_000;
    let millionths = (of * PLACES + to / 2) / to;
    write!(out, "{}", millionths / PLACES)?;
    let (mut rest, mut width) = (millionths % PLACES, 6);
    if rest == 0 {
        return Ok(());
    }
    while rest.is_multiple_of(10) {
        rest /= 10;
        width -= 1;
    }
    write!(out, ".{rest:0width$}")
}

/// A text between quotation marks.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        Escaping(f).write_str(self.0)?;
        f.write_char('"')
    }
}

/// Escapes what passes: quotation mark, backslash and every control character.
struct Escaping<'a, 'b>(&'a mut (dyn Write + 'b));

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let must_escape = |character: char| character.is_control() || "\"\\".contains(character);
        let mut rest = text;
        while let Some(at) = rest.find(must_escape) {
            self.0.write_str(&rest[..at])?;
            let mut characters = rest[at..].chars();
            match characters.next() {
                Some('"') => self.0.write_str("\\\"")?,
                Some('\\') => self.0.write_str("\\\\")?,
                Some('\n') => self.0.write_str("\\n")?,
                Some('\r') => self.0.write_str("\\r")?,
                Some('\t') => self.0.write_str("\\t")?,
                Some(control) => write!(self.0, "\\u{:04x}", control as u32)?,
                None => {}
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Face, Rendering};
    use super::*;
    use std::string::String;

    fn render(report: &Report) -> String {
        let mut rendering = Rendering::new(Face::Json);
        let mut bytes = [0; 64 * 1024];
        let count = rendering.render(report, &mut bytes);
        assert!(rendering.is_done());
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    }

    #[test]
    fn an_answer_is_the_line_that_the_design_promises() {
        let mut report = Report::new();
        report.begin("mem status");
        report
            .fields("memory")
            .count("total_bytes", 133_169_152)
            .count("heap_used_bytes", 581_632)
            .unknown("tpm");
        report
            .table("pools", &["name", "used", "high_water", "capacity"])
            .row(&["threads".into(), 9u64.into(), 11u64.into(), 64u64.into()]);
        assert_eq!(
            render(&report),
            concat!(
                r#"{"command":"mem status","ok":true,"report":["#,
                r#"{"kind":"fields","title":"memory","fields":{"total_bytes":133169152,"heap_used_bytes":581632,"tpm":null}},"#,
                r#"{"kind":"table","title":"pools","columns":["name","used","high_water","capacity"],"rows":[["threads",9,11,64]]}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn an_error_is_the_line_that_the_design_promises() {
        let mut report = Report::new();
        report.begin("mem staus");
        report.fail(format_args!(
            "unknown subcommand \"staus\" of mem; did you mean \"status\"?"
        ));
        assert_eq!(
            render(&report),
            concat!(
                r#"{"command":"mem staus","ok":false,"error":"unknown subcommand \"staus\" of mem; did you mean \"status\"?"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn every_control_character_is_escaped() {
        let mut report = Report::new();
        let text: String = (0u32..=0xa0).filter_map(char::from_u32).collect();
        report.text("t").line(text.as_str());
        let line = render(&report);
        assert!(line.trim_end_matches('\n').chars().all(|c| !c.is_control()));
        assert!(line.contains(r"\u0000\u0001\u0002\u0003"));
        assert!(line.contains(r#"\t\n\u000b\u000c\r"#));
        assert!(line.contains(r##" !\"#"##) && line.contains(r"[\\]") && line.contains(r"~\u007f"));
    }

    #[test]
    fn a_ratio_is_a_number_and_a_cut_report_says_so() {
        let mut report = Report::new();
        report
            .fields("f")
            .value("a_ratio", Value::Ratio { of: 1, to: 8 })
            .value("b_ratio", Value::Ratio { of: 2, to: 3 })
            .value("c_ratio", Value::Ratio { of: 3, to: 3 })
            .value("d_ratio", Value::Ratio { of: 3, to: 0 });
        let line = render(&report);
        assert!(
            line.contains(r#""a_ratio":0.125,"b_ratio":0.666667,"c_ratio":1,"d_ratio":null"#),
            "{line}"
        );
        for _ in 0..1000 {
            report.fields("f");
        }
        assert!(render(&report).ends_with("],\"cut\":true}\n"));
    }
}
