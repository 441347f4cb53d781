//! A command's answer as JSON, taken apart into the blocks that outside programs rely on.

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value};
use xtask::qemu::Shape;
use xtask::session::Session;

/// Boots a machine whose shell answers in JSON.
pub fn boot(shape: &Shape) -> anyhow::Result<Session> {
    Ok(Session::boot(&shape.clone().setting("shell=framed-json"))?)
}

/// The document of one command.
#[derive(Clone, Debug)]
pub struct Report {
    pub command: String,
    blocks: Vec<Value>,
}

/// What stays the same whatever was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    pub kind: String,
    pub title: String,
    /// Keys of fields or columns of a table, with the units at their ends.
    pub names: Vec<String>,
}

impl Report {
    /// Runs a command that must succeed.
    pub fn ask(session: &mut Session, command: &str) -> anyhow::Result<Report> {
        let answer = session.run(command)?;
        let report = Report::parse(&answer.output)?;
        ensure!(answer.ok, "{command}: the verdict says that it failed");
        Ok(report)
    }

    pub fn parse(text: &str) -> anyhow::Result<Report> {
        let document = parse_line(text)?;
        if document["ok"] != true {
            bail!("a command failed: {text}");
        }
        let command = document["command"]
            .as_str()
            .context("the document names no command")?;
        let blocks = document["report"]
            .as_array()
            .context("the document has no report")?;
        Ok(Report {
            command: command.to_string(),
            blocks: blocks.clone(),
        })
    }

    pub fn outline(&self) -> anyhow::Result<Vec<Outline>> {
        self.blocks.iter().map(outline_of).collect()
    }

    /// A block of keys and values.
    pub fn fields(&self, title: &str) -> anyhow::Result<&Map<String, Value>> {
        let fields = self.block(title, "fields")?["fields"].as_object();
        fields.with_context(|| format!("{title} has no fields"))
    }

    /// A field that is a number.
    pub fn number(&self, title: &str, key: &str) -> anyhow::Result<u64> {
        let value = self.fields(title)?.get(key);
        let value = value.with_context(|| format!("{title} has no {key}"))?;
        value
            .as_u64()
            .with_context(|| format!("{key} of {title} is {value}, not a number"))
    }

    /// The values of one column.
    pub fn column(&self, title: &str, name: &str) -> anyhow::Result<Vec<&Value>> {
        let table = self.block(title, "table")?;
        let columns = strings(&table["columns"])?;
        let index = columns
            .iter()
            .position(|column| column == name)
            .with_context(|| format!("{title} has no column {name}"))?;
        let rows = table["rows"]
            .as_array()
            .with_context(|| format!("{title} has no rows"))?;
        for row in rows {
            let width = row.as_array().map(Vec::len);
            ensure!(
                width == Some(columns.len()),
                "a row of {title} does not fit its columns: {row}"
            );
        }
        Ok(rows.iter().map(|row| &row[index]).collect())
    }

    /// The lines of a text.
    pub fn lines(&self, title: &str) -> anyhow::Result<Vec<String>> {
        strings(&self.block(title, "text")?["lines"])
    }

    fn block(&self, title: &str, kind: &str) -> anyhow::Result<&Value> {
        let mut blocks = self.blocks.iter();
        blocks
            .find(|block| block["title"] == title && block["kind"] == kind)
            .with_context(|| format!("{} has no {kind} {title:?}", self.command))
    }
}

/// One document, which is one line.
pub fn parse_line(text: &str) -> anyhow::Result<Value> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    ensure!(!line.contains('\n'), "more than one line: {text}");
    serde_json::from_str(line).with_context(|| format!("not JSON: {text}"))
}

fn outline_of(block: &Value) -> anyhow::Result<Outline> {
    let text = |key: &str| {
        let value = block[key].as_str().map(str::to_string);
        value.with_context(|| format!("a block has no {key}: {block}"))
    };
    let kind = text("kind")?;
    let names = match kind.as_str() {
        "table" => strings(&block["columns"])?,
        "fields" => {
            let fields = block["fields"].as_object();
            let fields = fields.with_context(|| format!("fields that are none: {block}"))?;
            fields.keys().cloned().collect()
        }
        _ => Vec::new(),
    };
    Ok(Outline {
        kind,
        title: text("title")?,
        names,
    })
}

fn strings(list: &Value) -> anyhow::Result<Vec<String>> {
    let list = list
        .as_array()
        .with_context(|| format!("{list} is no list"))?;
    list.iter()
        .map(|name| {
            let name = name.as_str().map(str::to_string);
            name.with_context(|| format!("a name that is no text in {list:?}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEM: &str = r#"{"command":"mem","ok":true,"report":[{"kind":"fields","title":"memory","fields":{"total_bytes":5,"tpm":null}},{"kind":"table","title":"pools","columns":["name","used"],"rows":[["threads",9]]}]}"#;

    #[test]
    fn blocks_are_found_by_their_titles() {
        let report = Report::parse(MEM).unwrap();
        assert_eq!(report.number("memory", "total_bytes").unwrap(), 5);
        assert_eq!(report.column("pools", "used").unwrap(), [9]);
        assert_eq!(report.outline().unwrap()[1].names, ["name", "used"]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let report = Report::parse(MEM).unwrap();
        for (result, missing) in [
            (report.number("memory", "tpm"), "tpm"),
            (report.number("memory", "free_bytes"), "free_bytes"),
            (report.number("pools", "used"), "pools"),
        ] {
            assert!(result.unwrap_err().to_string().contains(missing));
        }
    }

    #[test]
    fn a_failed_command_is_no_report() {
        let text = r#"{"command":"mem staus","ok":false,"error":"unknown"}"#;
        assert!(Report::parse(text).is_err());
        assert!(Report::parse("RayOS\n").is_err());
        assert!(Report::parse("{}\n{}\n").is_err());
    }
}
