//! A client for QEMU's control protocol: one JSON document a line, one answer a command, events in between.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::devices::Device;
use super::shape::Platform;
use crate::deadline::Deadline;

/// A connection whose greeting is done.
#[derive(Debug)]
pub struct Qmp {
    stream: UnixStream,
    /// Bytes that came behind the last whole line.
    pending: Vec<u8>,
    events: Vec<Value>,
}

impl Qmp {
    /// Takes the greeting and leaves the negotiation mode, in which nothing else is allowed.
    pub fn greet(stream: UnixStream, deadline: Deadline) -> anyhow::Result<Self> {
        let mut qmp = Qmp {
            stream,
            pending: Vec::new(),
            events: Vec::new(),
        };
        let greeting = qmp.read_document(deadline)?;
        if greeting.get("QMP").is_none() {
            bail!("QEMU's control connection begins with {greeting} instead of a greeting");
        }
        qmp.execute("qmp_capabilities", json!({}), deadline)?;
        Ok(qmp)
    }

    /// Runs one command and returns what it answers.
    pub fn execute(
        &mut self,
        command: &str,
        arguments: Value,
        deadline: Deadline,
    ) -> anyhow::Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        self.stream.set_write_timeout(
            deadline
                .remaining()
                .or(Some(std::time::Duration::from_millis(1))),
        )?;
        writeln!(self.stream, "{request}").with_context(|| format!("sending {command} to QEMU"))?;
        loop {
            let mut document = self
                .read_document(deadline)
                .with_context(|| format!("waiting for QEMU's answer to {command}"))?;
            if document.get("event").is_some() {
                self.events.push(document);
            } else if let Some(error) = document.get("error") {
                bail!(
                    "QEMU refuses {command}: {}",
                    error["desc"].as_str().unwrap_or("no reason given")
                );
            } else if let Some(answer) = document.get_mut("return") {
                return Ok(answer.take());
            }
        }
    }

    /// Ends QEMU. A connection that breaks instead of answering is the wish fulfilled.
    pub fn quit(&mut self, deadline: Deadline) {
        let _ = self.execute("quit", json!({}), deadline);
    }

    /// Writes the screen into a file: PNG when its name ends so, else PPM.
    pub fn screendump(&mut self, path: &Path, deadline: Deadline) -> anyhow::Result<()> {
        let format = if path.extension().is_some_and(|ending| ending == "png") {
            "png"
        } else {
            "ppm"
        };
        let arguments = json!({ "filename": path.to_string_lossy(), "format": format });
        self.execute("screendump", arguments, deadline).map(|_| ())
    }

    /// Presses keys together and releases them, by QEMU's names: `["shift", "a"]`.
    pub fn send_keys(&mut self, keys: &[&str], deadline: Deadline) -> anyhow::Result<()> {
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| json!({ "type": "qcode", "data": key }))
            .collect();
        self.execute("send-key", json!({ "keys": keys }), deadline)
            .map(|_| ())
    }

    /// Presses one key after the other.
    pub fn type_keys(&mut self, keys: &[&str], deadline: Deadline) -> anyhow::Result<()> {
        keys.iter()
            .try_for_each(|key| self.send_keys(&[key], deadline))
    }

    /// Pulls a device out and waits until the machine has let it go.
    pub fn unplug(&mut self, name: &str, deadline: Deadline) -> anyhow::Result<()> {
        self.forget_events("DEVICE_DELETED");
        self.execute("device_del", json!({ "id": name }), deadline)?;
        self.wait_for_event("DEVICE_DELETED", deadline, |data| data["device"] == name)
            .with_context(|| format!("the machine does not let go of {name}"))?;
        Ok(())
    }

    /// Plugs a device in, again or for the first time; what is behind it must be there.
    pub fn plug(
        &mut self,
        device: &Device,
        platform: Platform,
        deadline: Deadline,
    ) -> anyhow::Result<()> {
        self.execute("device_add", device.plug_arguments(platform), deadline)?;
        if let Some(part) = device.plug_part_arguments() {
            self.execute("device_add", part, deadline)?;
        }
        Ok(())
    }

    /// Pulls a network device's cable, or puts it back.
    pub fn set_link(&mut self, name: &str, is_up: bool, deadline: Deadline) -> anyhow::Result<()> {
        let arguments = json!({ "name": name, "up": is_up });
        self.execute("set_link", arguments, deadline).map(|_| ())
    }

    /// Lets the machine stand still, its clock included.
    pub fn pause(&mut self, deadline: Deadline) -> anyhow::Result<()> {
        self.execute("stop", json!({}), deadline).map(|_| ())
    }

    pub fn resume(&mut self, deadline: Deadline) -> anyhow::Result<()> {
        self.execute("cont", json!({}), deadline).map(|_| ())
    }

    /// Waits for an event of this name whose data are meant, among those that came already and those to come.
    pub fn wait_for_event(
        &mut self,
        name: &str,
        deadline: Deadline,
        is_meant: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        loop {
            let found = self
                .events
                .iter()
                .position(|event| event["event"] == name && is_meant(&event["data"]));
            if let Some(index) = found {
                return Ok(self.events.remove(index)["data"].take());
            }
            let document = self
                .read_document(deadline)
                .with_context(|| format!("waiting for QEMU's event {name}"))?;
            self.events.push(document);
        }
    }

    fn forget_events(&mut self, name: &str) {
        self.events.retain(|event| event["event"] != name);
    }

    /// What the machine does: `running`, `paused`, `shutdown` ...
    pub fn status(&mut self, deadline: Deadline) -> anyhow::Result<String> {
        let answer = self.execute("query-status", json!({}), deadline)?;
        Ok(answer["status"].as_str().unwrap_or("unknown").to_string())
    }

    /// Why the machine ended, in QEMU's words (`guest-shutdown`, `guest-reset`, ...), reading what is still to come
    /// until QEMU closes the connection or the deadline is over.
    pub fn shutdown_reason(&mut self, deadline: Deadline) -> Option<String> {
        loop {
            let told = self
                .events
                .iter()
                .rev()
                .find(|event| event["event"] == "SHUTDOWN");
            if let Some(event) = told {
                return event["data"]["reason"].as_str().map(str::to_string);
            }
            let document = self.read_document(deadline).ok()?;
            self.events.push(document);
        }
    }

    fn read_document(&mut self, deadline: Deadline) -> anyhow::Result<Value> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .context("QEMU's control connection does not speak JSON");
            }
            let Some(left) = deadline.remaining() else {
                bail!("QEMU's control connection is silent")
            };
            self.stream.set_read_timeout(Some(left))?;
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => bail!("QEMU closed its control connection"),
                Ok(count) => self.pending.extend_from_slice(&buffer[..count]),
                Err(error) if is_worth_a_retry(&error) => {}
                Err(error) => return Err(error).context("reading from QEMU's control connection"),
            }
        }
    }
}

/// A time-out is left to the deadline to judge; an interrupted call changed nothing.
fn is_worth_a_retry(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::thread::JoinHandle;
    use std::time::Duration;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    /// A QEMU that greets and then answers each request with the next text; returns the requests.
    fn fake(answers: &'static [&'static str]) -> (UnixStream, JoinHandle<Vec<Value>>) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let peer = std::thread::spawn(move || {
            theirs.write_all(b"{\"QMP\":{\"version\":{}}}\r\n").unwrap();
            let mut requests = Vec::new();
            let mut reader = BufReader::new(theirs.try_clone().unwrap());
            for answer in answers {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                requests.push(serde_json::from_str(&line).unwrap());
                theirs.write_all(answer.as_bytes()).unwrap();
            }
            requests
        });
        (ours, peer)
    }

    #[test]
    fn an_answer_is_found_behind_events() {
        let (stream, peer) = fake(&[
            "{\"return\":{}}\n",
            "{\"event\":\"RESUME\"}\n{\"return\":{\"status\":\"running\"}}\n",
        ]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        assert_eq!(qmp.status(soon()).unwrap(), "running");
        assert_eq!(peer.join().unwrap()[1]["execute"], "query-status");
    }

    #[test]
    fn keys_are_pressed_by_name() {
        let (stream, peer) = fake(&["{\"return\":{}}\n", "{\"return\":{}}\n"]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        qmp.send_keys(&["shift", "a"], soon()).unwrap();
        let requests = peer.join().unwrap();
        assert_eq!(
            requests[1]["arguments"]["keys"][1],
            json!({ "type": "qcode", "data": "a" })
        );
    }

    #[test]
    fn an_unplugged_device_is_waited_for_by_its_name() {
        let (stream, peer) = fake(&[
            "{\"return\":{}}\n",
            concat!(
                "{\"return\":{}}\n",
                "{\"event\":\"DEVICE_DELETED\",\"data\":{\"path\":\"/x\"}}\n",
                "{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"net0\"}}\n",
            ),
        ]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        qmp.unplug("net0", soon()).unwrap();
        assert_eq!(peer.join().unwrap()[1]["arguments"]["id"], "net0");
        let error = qmp.wait_for_event("DEVICE_DELETED", soon(), |data| data["device"] == "net0");
        assert!(error.is_err(), "an event is taken once");
    }

    #[test]
    fn a_refusal_says_why() {
        let (stream, _peer) = fake(&[
            "{\"return\":{}}\n",
            "{\"error\":{\"class\":\"x\",\"desc\":\"no screen\"}}\n",
        ]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        let error = qmp.screendump(Path::new("/x.png"), soon()).unwrap_err();
        assert_eq!(error.to_string(), "QEMU refuses screendump: no screen");
    }

    #[test]
    fn a_silent_peer_costs_no_more_than_the_deadline() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let error = Qmp::greet(ours, Deadline::after(Duration::from_millis(30))).unwrap_err();
        assert!(error.to_string().contains("silent"), "{error}");
    }

    #[test]
    fn the_reason_of_a_shutdown_is_read_after_the_end() {
        let (stream, peer) = fake(&[
            "{\"return\":{}}\n{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true,\"reason\":\"guest-reset\"}}\n",
        ]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        peer.join().unwrap();
        assert_eq!(qmp.shutdown_reason(soon()).as_deref(), Some("guest-reset"));
    }

    #[test]
    fn a_connection_that_closes_without_a_reason_has_none() {
        let (stream, peer) = fake(&["{\"return\":{}}\n"]);
        let mut qmp = Qmp::greet(stream, soon()).unwrap();
        peer.join().unwrap();
        assert_eq!(qmp.shutdown_reason(soon()), None);
    }
}
