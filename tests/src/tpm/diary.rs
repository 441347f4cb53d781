//! What a TPM was told to extend, by its own diary, which names every command and answer.
//!
//! A quote is about one bank; the diary is about all of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use xtask::attest::bank::{Bank, parse_hex};
use xtask::attest::event_log::REGISTERS;

const PCR_EVENT: u32 = 0x13c;
const PCR_RESET: u32 = 0x13d;
const STARTUP: u32 = 0x144;
const SHUTDOWN: u32 = 0x145;
const PCR_EXTEND: u32 = 0x182;
const EVENT_SEQUENCE_COMPLETE: u32 = 0x185;

/// The registers of every bank after all that the diary tells.
pub struct Registers(Vec<(Bank, Vec<Vec<u8>>)>);

impl Registers {
    fn fresh() -> Registers {
        let bank = |bank: Bank| {
            let mut registers = vec![vec![0; bank.digest_bytes()]; REGISTERS];
            registers[17..=22]
                .iter_mut()
                .for_each(|register| register.fill(0xff));
            (bank, registers)
        };
        Registers(Bank::ALL.map(bank).to_vec())
    }

    pub fn of_bank(&self, bank: Bank) -> &[Vec<u8>] {
        let found = self.0.iter().find(|(it, _)| *it == bank);
        found.map_or(&[], |(_, registers)| registers)
    }

    fn extend(&mut self, register: usize, number: u16, digest: &[u8]) -> anyhow::Result<()> {
        let bank = self
            .0
            .iter_mut()
            .find(|(bank, _)| bank.number() == number && bank.digest_bytes() == digest.len());
        let (bank, registers) = bank.with_context(|| format!("no bank {number:#06x}"))?;
        let value = registers
            .get_mut(register)
            .with_context(|| format!("no register {register}"))?;
        *value = bank.hash(&[value, digest]);
        Ok(())
    }
}

/// Reads the diary of one run of a TPM.
pub fn read(diary: &Path) -> anyhow::Result<Registers> {
    let text = fs::read_to_string(diary).context("the TPM keeps no diary")?;
    let mut registers = Registers::fresh();
    let mut extensions = 0;
    let messages = messages(&text)?;
    for pair in messages.chunks_exact(2) {
        let [(true, command), (false, answer)] = pair else {
            bail!("a command without an answer");
        };
        if number(answer, 6)? != 0 {
            continue;
        }
        match number(command, 6)? {
            STARTUP => registers = Registers::fresh(),
            PCR_EXTEND => {
                let register = usize::try_from(number(command, 10)?)?;
                let mut at = 18 + usize::try_from(number(command, 14)?)?;
                let count = number(command, at)?;
                at += 4;
                for _ in 0..count {
                    let kind = command.get(at..at + 2).context("a digest is cut")?;
                    let kind = u16::from_be_bytes(kind.try_into()?);
                    let bank = Bank::of_number(kind).context("an unknown bank")?;
                    let digest = command.get(at + 2..at + 2 + bank.digest_bytes());
                    registers.extend(register, kind, digest.context("a digest is cut")?)?;
                    at += 2 + bank.digest_bytes();
                }
                extensions += 1;
            }
            other @ (PCR_EVENT | PCR_RESET | EVENT_SEQUENCE_COMPLETE) => {
                bail!("command {other:#x} changes registers in a way that is not read here");
            }
            _ => {}
        }
    }
    ensure!(extensions > 0, "nothing was extended");
    Ok(registers)
}

/// Is the last thing that the TPM did to take a shutdown?
pub fn ends_with_a_shutdown(diary: &Path) -> anyhow::Result<bool> {
    let text = fs::read_to_string(diary).context("the TPM keeps no diary")?;
    let messages = messages(&text)?;
    let Some([(true, command), (false, answer)]) = messages.last_chunk() else {
        bail!("the diary does not end with an answer");
    };
    Ok(number(command, 6)? == SHUTDOWN && number(answer, 6)? == 0)
}

fn number(bytes: &[u8], at: usize) -> anyhow::Result<u32> {
    let bytes = bytes.get(at..at + 4).context("a message is cut")?;
    Ok(u32::from_be_bytes(bytes.try_into()?))
}

/// Commands (true) and answers in their order.
fn messages(text: &str) -> anyhow::Result<Vec<(bool, Vec<u8>)>> {
    let mut messages: Vec<(bool, Vec<u8>)> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (is_command, length) = match line.trim().split_once(": length ") {
            Some(("SWTPM_IO_Read", length)) => (true, length),
            Some(("SWTPM_IO_Write", length)) => (false, length),
            _ => continue,
        };
        let length: usize = length.trim().parse()?;
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let line = lines.next().context("the diary is cut")?;
            let digits: String = line.split_whitespace().collect();
            bytes.extend(parse_hex(&digits).with_context(|| format!("no bytes: {line}"))?);
        }
        ensure!(bytes.len() == length, "more bytes than announced");
        messages.push((is_command, bytes));
    }
    Ok(messages)
}
