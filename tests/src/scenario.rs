//! A scenario's target that is a real kernel, and the scenario files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rayos_sim::framed::Answer;
use rayos_sim::scenario::{Scenario, Target};
use xtask::qemu::{Boot, Shape};
use xtask::session::Session;
use xtask::workspace;

use crate::poll;
use crate::report;

/// What a span may take longer than it says: the machine's clock is its own, and the host may be busy.
const SPAN_GRACE: Duration = Duration::from_secs(60);

/// Every scenario file, by name.
pub fn files() -> anyhow::Result<Vec<PathBuf>> {
    let directory = workspace::root().join("tests/scenarios");
    let entries = std::fs::read_dir(&directory)
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A kernel in QEMU with a framed shell.
pub struct MachineTarget {
    session: Session,
}

impl MachineTarget {
    /// Boots a machine as the scenario wants it.
    pub fn for_scenario(scenario: &Scenario) -> anyhow::Result<Self> {
        let mut shape = Shape::new(Boot::Pvh).setting("shell=framed");
        if !scenario.command_line.is_empty() {
            shape = shape.setting(&scenario.command_line);
        }
        let session = Session::boot(&shape)?;
        Ok(MachineTarget { session })
    }

    fn uptime_ns(&mut self) -> anyhow::Result<u64> {
        let answer = self.session.run("uptime | json")?;
        let document = report::parse_line(&answer.output)?;
        let blocks = document["report"].as_array().map(Vec::as_slice);
        let mut fields = blocks
            .unwrap_or_default()
            .iter()
            .map(|block| &block["fields"]);
        let uptime = fields.find_map(|fields| fields["uptime_ns"].as_u64());
        uptime.with_context(|| format!("no uptime in {document}"))
    }

    /// Lets the machine's own clock go on; it cannot be made to go faster.
    fn wait(&mut self, span: Duration) -> anyhow::Result<()> {
        let span_ns = u64::try_from(span.as_nanos())?;
        let end_ns = self.uptime_ns()?.saturating_add(span_ns);
        poll::until("the machine's clock goes on", span + SPAN_GRACE, || {
            Ok((self.uptime_ns()? >= end_ns).then_some(()))
        })
    }
}

impl Target for MachineTarget {
    fn run(&mut self, line: &str) -> Result<Answer, String> {
        let answer = self
            .session
            .run(line)
            .map_err(|failure| failure.to_string())?;
        Ok(Answer {
            text: answer.output,
            has_succeeded: answer.ok,
        })
    }

    fn advance(&mut self, span: rayos_kernel::base::time::Duration) -> Result<(), String> {
        self.wait(Duration::from_nanos(span.as_nanos()))
            .map_err(|error| format!("{error:#}"))
    }

    fn act(&mut self, action: &str) -> Result<(), String> {
        Err(format!(
            "a real machine cannot \"{action}\"; mark the scenario with # only: sim"
        ))
    }
}
