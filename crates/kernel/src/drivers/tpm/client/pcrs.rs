//! Extending PCRs, and reading sixteen of them as of one moment.

use super::job::{Answer, PcrReport, TpmError};
use super::procedure::{Came, Next, Outgoing};
use crate::drivers::tpm::codec::bank::BankDigests;
use crate::drivers::tpm::codec::bytes::Malformed;
use crate::drivers::tpm::codec::pcr::{PcrExtend, PcrRead, PcrSelection, PcrValues};
use crate::limits::PCRS_SHOWN;
use alloc::boxed::Box;

/// PCRs 0 to 15.
pub const SHOWN: u32 = (1 << PCRS_SHOWN) - 1;
/// How often reading begins anew because something has changed in between.
const READS_MAX: u32 = 8;

pub struct Extend {
    pub pcr: u32,
    pub digests: BankDigests,
}

impl Extend {
    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        match came {
            None => match self.digests.missing(out.banks) {
                // A bank that is left out can be filled by whoever comes next.
                Some(bank) => TpmError::NoDigestFor(bank).into(),
                None => out.open(&PcrExtend {
                    pcr: self.pcr,
                    digests: self.digests.only(out.banks),
                }),
            },
            Some(Ok(_)) => Next::End(Ok(Answer::Extended)),
            Some(Err(error)) => error.into(),
        }
    }
}

/// Collects values that all belong to one state of the update counter.
#[derive(Default)]
pub struct Collector {
    report: PcrReport,
    have: u32,
    restarts: u32,
}

impl Collector {
    /// What is to be read next; `None` when all is there.
    pub fn missing(&self) -> Option<PcrRead> {
        let missing = SHOWN & !self.have;
        (missing != 0).then_some(PcrRead {
            selection: PcrSelection::sha256(missing),
        })
    }

    pub fn add(&mut self, parameters: &[u8]) -> Result<(), TpmError> {
        let read = PcrValues::parse(parameters)?;
        let new = read.selection.pcrs;
        if read.selection.algorithm != PcrSelection::sha256(0).algorithm {
            return Err(Malformed("PCR selection").into());
        }
        if new == 0 {
            return Err(TpmError::NoSha256Bank);
        }
        if new & !(SHOWN & !self.have) != 0 {
            return Err(Malformed("PCR selection").into());
        }
        if self.have != 0 && read.update_counter != self.report.update_counter {
            return self.restart();
        }
        self.report.update_counter = read.update_counter;
        let places = (0..PCRS_SHOWN).filter(|pcr| new & 1 << pcr != 0);
        for (place, value) in places.zip(&read.values) {
            self.report.values[place] = *value;
        }
        self.have |= new;
        Ok(())
    }

    /// Forgets what was read; not for ever.
    pub fn restart(&mut self) -> Result<(), TpmError> {
        self.have = 0;
        self.restarts += 1;
        match self.restarts < READS_MAX {
            true => Ok(()),
            false => Err(TpmError::Unsteady),
        }
    }

    pub const fn report(&self) -> &PcrReport {
        &self.report
    }
}

#[derive(Default)]
pub struct ReadPcrs(Collector);

impl ReadPcrs {
    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        let added = match came {
            None => Ok(()),
            Some(Ok(parts)) => self.0.add(parts.parameters),
            Some(Err(error)) => Err(error),
        };
        match (added, self.0.missing()) {
            (Err(error), _) => error.into(),
            (Ok(()), Some(read)) => out.plain(&read),
            (Ok(()), None) => Next::End(Ok(Answer::Pcrs(Box::new(*self.0.report())))),
        }
    }
}
