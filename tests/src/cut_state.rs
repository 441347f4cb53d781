//! What a guest finds on its disk, to be compared with what should be there.

use anyhow::Context;
use rayos_sim::life::{State, Texts, VOLUME};

use crate::lab::guest::Guest;
use crate::report::Report;

/// Of snapshots only their names are seen.
pub fn read(guest: &mut Guest) -> anyhow::Result<State> {
    let mut state = State::default();
    for file in names(&guest.ask("ls")?, "files", "name")? {
        let report = guest.ask(&format!("cat {file}"))?;
        state.files.insert(file, lines(&report)?);
    }
    for key in names(
        &guest.ask(&format!("storage list {VOLUME}"))?,
        "keys",
        "key",
    )? {
        let report = guest.ask(&format!("storage get {VOLUME} {key}"))?;
        let text = report.lines("value")?.join("\n");
        state.objects.insert(key, text);
    }
    for name in names(&guest.ask("storage snapshots")?, "snapshots", "name")? {
        state.snapshots.insert(name, Texts::new());
    }
    Ok(state)
}

fn names(report: &Report, title: &str, column: &str) -> anyhow::Result<Vec<String>> {
    let names = report.column(title, column)?.into_iter();
    names
        .map(|name| Ok(name.as_str().context("a name is no text")?.to_string()))
        .collect()
}

fn lines(report: &Report) -> anyhow::Result<String> {
    let lines = report.lines("")?;
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}
