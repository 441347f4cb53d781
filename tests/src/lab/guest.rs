//! RayOS in the laboratory: its shell, and what is asked of it again and again.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use xtask::qemu::Shape;
use xtask::session::Session;

use super::{GUEST, HOST, Lab, PREFIX};
use crate::poll;
use crate::report::{self, Report};

const COMMAND_WITHIN: Duration = Duration::from_secs(90);
const LAID_OUT_WITHIN: Duration = Duration::from_secs(60);

pub struct Guest {
    pub session: Session,
}

impl Guest {
    /// Boots with the laboratory's fixed address and all services for measuring.
    pub fn boot(shape: &Shape) -> anyhow::Result<Guest> {
        let shape = shape.clone().setting(&format!(
            "ip={GUEST}/{PREFIX} gateway={HOST} dns={HOST} services=echo,discard,chargen"
        ));
        Guest::boot_plain(&shape)
    }

    /// Boots with these settings and no others.
    pub fn boot_plain(shape: &Shape) -> anyhow::Result<Guest> {
        let session = report::boot(shape)?;
        Ok(Guest { session })
    }

    /// Runs a command that must succeed.
    pub fn ask(&mut self, command: &str) -> anyhow::Result<Report> {
        let answer = self.session.run_within(command, COMMAND_WITHIN)?;
        ensure!(answer.ok, "{command}: {}", answer.output);
        Report::parse(&answer.output)
    }

    /// Runs a command that may fail; says whether it did not, and what was answered.
    pub fn attempt(&mut self, command: &str) -> anyhow::Result<(bool, String)> {
        let answer = self.session.run_within(command, COMMAND_WITHIN)?;
        Ok((answer.ok, answer.output))
    }

    /// Lays out the disk, with the code that the kernel wants typed, and waits for its files.
    pub fn lay_out(&mut self) -> anyhow::Result<()> {
        let command = "storage format disk0";
        let code = poll::until("a disk that was looked at", LAID_OUT_WITHIN, || {
            let (is_ok, said) = self.attempt(command)?;
            let code = said.split(&format!("{command} ")).nth(1);
            Ok(code
                .filter(|_| is_ok)
                .and_then(|code| Some(code.get(..8)?.to_string())))
        })?;
        self.ask(&format!("{command} {code}"))?;
        self.expect_files()
    }

    pub fn expect_files(&mut self) -> anyhow::Result<()> {
        poll::until("the exchange partition", LAID_OUT_WITHIN, || {
            Ok(self.attempt("ls")?.0.then_some(()))
        })
    }

    /// The shell still takes commands and nothing broke an invariant.
    pub fn is_well(&mut self) -> anyhow::Result<()> {
        self.ask("status")?;
        let log = self.session.run_within("log error", COMMAND_WITHIN)?;
        ensure!(!log.output.contains("invariant"), "{}", log.output);
        Ok(())
    }

    /// The cell of a service's row in `net services`.
    pub fn service(&mut self, service: &str, column: &str) -> anyhow::Result<Value> {
        let report = self.ask("net services")?;
        let names = report.column("services", "service")?;
        let row = names.iter().position(|name| *name == service);
        let row = row.with_context(|| format!("there is no service {service}"))?;
        Ok(report.column("services", column)?[row].clone())
    }

    /// How much of each bounded thing is in use, by name; of what nobody counts nothing.
    pub fn usage(&mut self) -> anyhow::Result<Vec<(String, u64)>> {
        let report = self.ask("limits")?;
        let names = report.column("limits", "name")?;
        let used = report.column("limits", "used")?;
        let rows = names.iter().zip(used);
        Ok(rows
            .filter_map(|(name, used)| Some((name.as_str()?.to_string(), used.as_u64()?)))
            .collect())
    }

    /// Waits until nothing of the network is more in use than before.
    pub fn expect_usage(
        &mut self,
        before: &[(String, u64)],
        within: Duration,
    ) -> anyhow::Result<()> {
        let mut more = Vec::new();
        let result = poll::until("the pools as they were", within, || {
            let now = self.usage()?;
            more = now
                .into_iter()
                .filter(|(name, used)| {
                    let was = before.iter().find(|(known, _)| known == name);
                    is_of_the_network(name) && was.is_none_or(|(_, was)| used > was)
                })
                .collect();
            Ok(more.is_empty().then_some(()))
        });
        result.with_context(|| format!("more in use than before: {more:?}"))
    }

    /// Waits until the laboratory reaches the machine.
    pub fn expect_reachable(&self, lab: &Lab, address: IpAddr) -> anyhow::Result<()> {
        let text = address.to_string();
        poll::until(
            &format!("an echo of {text}"),
            Duration::from_secs(60),
            || {
                let words = ["ping", "-c", "1", "-W", "1", &text];
                Ok(lab.tool("busybox", &words)?.success.then_some(()))
            },
        )
    }
}

/// Rings of records fill and the heap grows with what is looked at; the network's pools do not.
fn is_of_the_network(name: &str) -> bool {
    ["TCP_", "UDP_", "SERVICE_", "FLOWS", "HTTP_", "PINGS"]
        .iter()
        .any(|beginning| name.starts_with(beginning))
}
