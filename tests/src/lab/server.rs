//! A server in the laboratory: its process and its log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use xtask::process;

use super::Lab;
use crate::poll;

#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a program that stays in the foreground; what it prints is its log. `name` is its own in this laboratory.
    pub fn start<S: AsRef<std::ffi::OsStr>>(
        lab: &Lab,
        name: &str,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> anyhow::Result<Server> {
        let log = lab.scratch().path().join(format!("{name}.log"));
        let output = File::create(&log).context("a server's log cannot be made")?;
        let mut command = lab.namespace().command(program)?;
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let child = process::spawn_from_lasting_thread(command)
            .with_context(|| format!("{program} cannot be started"))?;
        Ok(Server {
            name: name.to_string(),
            child,
            log,
        })
    }

    /// Everything that it has said.
    pub fn log(&self) -> String {
        fs::read(&self.log).map_or_else(
            |_| String::new(),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// How often this text stands in its log.
    pub fn count(&self, text: &str) -> usize {
        self.log().matches(text).count()
    }

    /// Waits until this text stands in its log.
    pub fn expect(&mut self, text: &str, within: Duration) -> anyhow::Result<()> {
        self.expect_count(text, 1, within)
    }

    /// Waits until this text stands in its log so often.
    pub fn expect_count(
        &mut self,
        text: &str,
        count: usize,
        within: Duration,
    ) -> anyhow::Result<()> {
        let what = format!("{count} times {text:?} in the log of {}", self.name);
        poll::until(&what, within, || {
            if self.count(text) >= count {
                return Ok(Some(()));
            }
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended with {}: {}",
                    self.name,
                    process::describe(status),
                    self.log()
                );
            }
            Ok(None)
        })
        .with_context(|| format!("{} said:\n{}", self.name, self.log()))
    }

    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// Ends it; its log stays.
    pub fn stop(&mut self) {
        process::stop(&mut self.child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
