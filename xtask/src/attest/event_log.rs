//! The host's own reader of a measurement log: parses it, and computes the registers it claims.
//!
//! TCG PC Client Platform Firmware Profile, section 10 (crypto-agile format). Written from the specification and not
//! from the kernel's writer, so that a mistake there is not repeated here.

use anyhow::{Context, ensure};

use super::bank::Bank;
use super::reader::Reader;

/// Registers of a PC's TPM.
pub const REGISTERS: usize = 24;
/// More events than any machine logs; a log that claims more is broken or hostile.
const EVENTS_MAX: usize = 4096;
/// Algorithms that a log may use: every one that the TCG knows, and some.
const ALGORITHMS_MAX: u32 = 16;

pub const EV_NO_ACTION: u32 = 0x03;
pub const EV_SEPARATOR: u32 = 0x04;
pub const EV_IPL: u32 = 0x0d;
pub const EV_EFI_BOOT_SERVICES_APPLICATION: u32 = 0x8000_0003;

const SPECIFICATION: &[u8; 16] = b"Spec ID Event03\0";
const STARTUP_LOCALITY: &[u8; 16] = b"StartupLocality\0";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    pub pcr: usize,
    pub kind: u32,
    /// Of the banks that are known here.
    pub digests: Vec<(Bank, &'a [u8])>,
    pub data: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog<'a> {
    pub banks: Vec<Bank>,
    pub events: Vec<Event<'a>>,
}

/// An algorithm of the log's header.
struct Algorithm {
    number: u16,
    digest_bytes: usize,
}

impl<'a> EventLog<'a> {
    pub fn parse(bytes: &'a [u8]) -> anyhow::Result<EventLog<'a>> {
        let mut reader = Reader::new(bytes);
        let algorithms = header(&mut reader).context("the event log's header")?;
        let mut events = Vec::new();
        while !reader.is_at_end() {
            ensure!(
                events.len() < EVENTS_MAX,
                "the event log has more than {EVENTS_MAX} events"
            );
            let at = reader.position();
            let number = events.len();
            let event = event(&mut reader, &algorithms)
                .with_context(|| format!("event {number} of the log, at byte {at}"))?;
            events.push(event);
        }
        let banks = algorithms
            .iter()
            .filter_map(|it| Bank::of_number(it.number))
            .collect();
        Ok(EventLog { banks, events })
    }

    /// The registers of a bank after all events, as a TPM would have them.
    pub fn replay(&self, bank: Bank) -> Vec<Vec<u8>> {
        let mut registers = vec![vec![0; bank.digest_bytes()]; REGISTERS];
        // Only a debugger or a dynamic start of a measured environment resets these (section 4.6.2 of the TIS).
        for register in &mut registers[17..=22] {
            register.fill(0xff);
        }
        for event in &self.events {
            if event.kind == EV_NO_ACTION {
                if let Some(locality) = startup_locality(event)
                    && let Some(last) = registers[0].last_mut()
                {
                    *last = locality;
                }
                continue;
            }
            if let Some((_, digest)) = event.digests.iter().find(|(it, _)| *it == bank) {
                registers[event.pcr] = bank.hash(&[&registers[event.pcr], digest]);
            }
        }
        registers
    }
}

impl Event<'_> {
    /// The data as text, when it is text of the kernel's own.
    pub fn own_text(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.data).ok()?;
        text.strip_prefix("rayos ")
    }

    /// The bank in which the digest is not that of the data: then the data says nothing about the register.
    pub fn bank_that_differs(&self) -> Option<Bank> {
        let differs = |(bank, digest): &&(Bank, &[u8])| bank.hash(&[self.data]) != *digest;
        self.digests.iter().find(differs).map(|(bank, _)| *bank)
    }
}

/// The locality from which the TPM was started, which is what its first register starts with.
fn startup_locality(event: &Event<'_>) -> Option<u8> {
    let locality = event.data.strip_prefix(STARTUP_LOCALITY)?;
    (event.pcr == 0)
        .then(|| locality.first().copied())
        .flatten()
}

/// The first event has the old format and says how the others are to be read.
fn header(reader: &mut Reader<'_>) -> anyhow::Result<Vec<Algorithm>> {
    let (pcr, kind) = (reader.u32_le()?, reader.u32_le()?);
    ensure!(
        pcr == 0 && kind == EV_NO_ACTION,
        "the first event is not of the kind that describes a log"
    );
    reader.take(Bank::Sha1.digest_bytes())?;
    let mut data = Reader::new(reader.sized_le()?);
    ensure!(
        data.take(16)? == SPECIFICATION,
        "the log is not in the crypto-agile format"
    );
    // Platform class, version, errata, the size of the firmware's integers.
    data.take(8)?;
    let count = data.u32_le()?;
    ensure!(
        (1..=ALGORITHMS_MAX).contains(&count),
        "it names {count} algorithms"
    );
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for _ in 0..count {
        let (number, digest_bytes) = (data.u16_le()?, usize::from(data.u16_le()?));
        if let Some(bank) = Bank::of_number(number) {
            ensure!(
                digest_bytes == bank.digest_bytes(),
                "{} has no digests of {digest_bytes} bytes",
                bank.name()
            );
        }
        ensure!(
            algorithms.iter().all(|it| it.number != number),
            "algorithm {number:#06x} comes twice"
        );
        algorithms.push(Algorithm {
            number,
            digest_bytes,
        });
    }
    let vendor_bytes = data.u8()?;
    data.take(usize::from(vendor_bytes))?;
    ensure!(data.is_at_end(), "there are bytes behind the vendor's");
    Ok(algorithms)
}

fn event<'a>(reader: &mut Reader<'a>, algorithms: &[Algorithm]) -> anyhow::Result<Event<'a>> {
    let pcr = usize::try_from(reader.u32_le()?)?;
    ensure!(pcr < REGISTERS, "there is no register {pcr}");
    let kind = reader.u32_le()?;
    let count = usize::try_from(reader.u32_le()?)?;
    ensure!(
        count == algorithms.len(),
        "{count} digests where the header names {}",
        algorithms.len()
    );
    let mut digests: Vec<(Bank, &[u8])> = Vec::new();
    for _ in 0..count {
        let number = reader.u16_le()?;
        let algorithm = algorithms.iter().find(|it| it.number == number);
        let algorithm = algorithm
            .with_context(|| format!("the header does not name algorithm {number:#06x}"))?;
        let digest = reader.take(algorithm.digest_bytes)?;
        if let Some(bank) = Bank::of_number(number) {
            ensure!(
                digests.iter().all(|(it, _)| *it != bank),
                "two digests of {}",
                bank.name()
            );
            digests.push((bank, digest));
        }
    }
    Ok(Event {
        pcr,
        kind,
        digests,
        data: reader.sized_le()?,
    })
}

#[cfg(test)]
mod tests;
