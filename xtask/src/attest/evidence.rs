//! What a machine says about itself: a quote, the registers, the log. Nothing of it is believed here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::bank::{hex, parse_hex};
use super::event_log::REGISTERS;
use super::quote::{Key, Registers, registers_file};
use crate::deadline::Deadline;
use crate::session::Session;

/// Twice what the kernel keeps; more is not fetched.
const LOG_BYTES_MAX: usize = 192 * 1024;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// The state in which the kernel is not done with its own boot.
const UNFINISHED: &str = "measuring";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub nonce: Vec<u8>,
    /// TPMS_ATTEST, TPMT_SIGNATURE, TPM2B_PUBLIC.
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
    pub public: Vec<u8>,
    pub registers: Registers,
    /// As long as it was when the quote was made.
    pub log: Vec<u8>,
}

/// The files of an attestation in one directory.
#[derive(Clone, Debug)]
pub struct Files(pub PathBuf);

impl Files {
    pub fn message(&self) -> PathBuf {
        self.0.join("quote.msg")
    }

    pub fn signature(&self) -> PathBuf {
        self.0.join("quote.sig")
    }

    pub fn public(&self) -> PathBuf {
        self.0.join("ak.pub")
    }

    pub fn pem(&self) -> PathBuf {
        self.0.join("ak.pem")
    }

    pub fn registers(&self) -> PathBuf {
        self.0.join("pcrs.bin")
    }

    pub fn log(&self) -> PathBuf {
        self.0.join("eventlog.bin")
    }

    pub fn nonce(&self) -> PathBuf {
        self.0.join("nonce.hex")
    }
}

impl Evidence {
    /// Asks a kernel whose shell answers in JSON.
    pub fn take(
        session: &mut Session,
        nonce: &[u8],
        deadline: Deadline,
    ) -> anyhow::Result<Evidence> {
        wait_until_measured(session, deadline)?;
        let report = ask(session, &format!("tpm quote {}", hex(nonce)), deadline)?;
        let quote = block(&report, "quote", "fields")?;
        let bytes = |key: &str| field_bytes(quote, key);
        let log_bytes = quote["fields"]["log_bytes"]
            .as_u64()
            .context("the quote has no log_bytes")?;
        let log_bytes = usize::try_from(log_bytes)?;
        let registers = registers_of(block(&report, "pcrs", "table")?)?;
        let mut log = export_log(session, deadline)?;
        ensure!(
            log_bytes <= log.len(),
            "the log is shorter than when the quote was made"
        );
        // What was measured after the quote is not in it.
        log.truncate(log_bytes);
        Ok(Evidence {
            nonce: nonce.to_vec(),
            message: bytes("message")?,
            signature: bytes("signature")?,
            public: bytes("public")?,
            registers,
            log,
        })
    }

    /// Writes it as tpm2-tools want it.
    pub fn write(&self, directory: &Path) -> anyhow::Result<Files> {
        fs::create_dir_all(directory)
            .with_context(|| format!("{} cannot be made", directory.display()))?;
        let files = Files(directory.to_path_buf());
        let pem = Key::parse(&self.public).map(|key| key.pem());
        for (path, bytes) in [
            (files.message(), self.message.as_slice()),
            (files.signature(), &self.signature),
            (files.public(), &self.public),
            (files.pem(), pem.unwrap_or_default().as_bytes()),
            (files.registers(), &registers_file(&self.registers)),
            (files.log(), &self.log),
            (files.nonce(), format!("{}\n", hex(&self.nonce)).as_bytes()),
        ] {
            fs::write(&path, bytes)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(files)
    }
}

/// Something of the boot may still be on its way to the TPM.
fn wait_until_measured(session: &mut Session, deadline: Deadline) -> anyhow::Result<()> {
    loop {
        let report = ask(session, "tpm status", deadline)?;
        let status = block(&report, "tpm", "fields")?;
        let state = status["fields"]["state"].as_str().unwrap_or_default();
        if state != UNFINISHED {
            return Ok(());
        }
        ensure!(
            !deadline.is_over(),
            "the machine is still measuring what was booted"
        );
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// The whole log as it is now.
pub fn export_log(session: &mut Session, deadline: Deadline) -> anyhow::Result<Vec<u8>> {
    let mut log = Vec::new();
    loop {
        let report = ask(session, &format!("tpm log export {}", log.len()), deadline)?;
        let page = block(&report, "log", "fields")?;
        let bytes = field_bytes(page, "bytes")?;
        log.extend(&bytes);
        ensure!(
            log.len() <= LOG_BYTES_MAX,
            "the log has more than {LOG_BYTES_MAX} bytes"
        );
        match &page["fields"]["next_offset_bytes"] {
            Value::Null => return Ok(log),
            next => ensure!(
                !bytes.is_empty() && next.as_u64() == u64::try_from(log.len()).ok(),
                "the log goes on at byte {next} behind byte {}",
                log.len()
            ),
        }
    }
}

/// The blocks of a command's report.
fn ask(session: &mut Session, command: &str, deadline: Deadline) -> anyhow::Result<Vec<Value>> {
    let within = deadline.remaining().unwrap_or_default();
    let answer = session.run_within(command, within)?;
    blocks(&answer.output).with_context(|| format!("the kernel's answer to `{command}`"))
}

fn blocks(output: &str) -> anyhow::Result<Vec<Value>> {
    let document: Value = serde_json::from_str(output.trim_end()).context("it is not JSON")?;
    if document["ok"] != true {
        bail!(
            "{}",
            document["error"]
                .as_str()
                .unwrap_or("it failed and says nothing")
        );
    }
    let blocks = document["report"].as_array().context("it has no report")?;
    Ok(blocks.clone())
}

fn block<'a>(blocks: &'a [Value], title: &str, kind: &str) -> anyhow::Result<&'a Value> {
    let mut blocks = blocks.iter();
    blocks
        .find(|block| block["title"] == title && block["kind"] == kind)
        .with_context(|| format!("the kernel's answer has no {kind} \"{title}\""))
}

fn field_bytes(block: &Value, key: &str) -> anyhow::Result<Vec<u8>> {
    let text = block["fields"][key].as_str();
    let bytes = text.and_then(parse_hex);
    bytes.with_context(|| format!("the kernel's answer has no bytes {key}"))
}

fn registers_of(table: &Value) -> anyhow::Result<Registers> {
    let column = |name: &str| {
        let columns = table["columns"].as_array();
        let place = columns.and_then(|it| it.iter().position(|column| column == name));
        place.with_context(|| format!("the registers have no column {name}"))
    };
    let (number_at, value_at) = (column("pcr")?, column("sha256")?);
    let rows = table["rows"]
        .as_array()
        .context("the registers have no rows")?;
    let mut registers = Registers::new();
    for row in rows {
        let number = row[number_at]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| *number < REGISTERS);
        let value = row[value_at].as_str().and_then(parse_hex);
        let value = value.and_then(|value| value.try_into().ok());
        let register = number
            .zip(value)
            .with_context(|| format!("{row} is no register"))?;
        let is_next = registers
            .last()
            .is_none_or(|last: &(usize, _)| last.0 < register.0);
        ensure!(is_next, "the registers are not in their order");
        registers.push(register);
    }
    Ok(registers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(rows: Value) -> Value {
        json!({"kind": "table", "title": "pcrs", "columns": ["pcr", "sha256"], "rows": rows})
    }

    #[test]
    fn registers_come_out_of_their_table() {
        let value = "11".repeat(32);
        let registers = registers_of(&table(json!([[0, value], [8, value]]))).unwrap();
        assert_eq!(registers, [(0, [0x11; 32]), (8, [0x11; 32])]);
        for rows in [
            json!([[24, value]]),
            json!([[1, value], [1, value]]),
            json!([[1, "11"]]),
            json!([["one", value]]),
            json!([[]]),
            json!([3]),
        ] {
            assert!(registers_of(&table(rows.clone())).is_err(), "{rows}");
        }
    }

    #[test]
    fn a_kernel_that_refuses_is_quoted() {
        let error = blocks(r#"{"command":"tpm quote","ok":false,"error":"there is no TPM"}"#);
        assert_eq!(error.unwrap_err().to_string(), "there is no TPM");
        assert!(blocks("panic").is_err());
    }
}
