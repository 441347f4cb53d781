//! A quote: make the key, read, sign, read again, forget the key.
//!
//! Reading is not part of signing, so it is done before and behind it. What is given
//! out is only what was signed: the digest in the message is that of the values.

use super::job::{Answer, Nonce, QuoteReport, TpmError};
use super::pcrs::{Collector, SHOWN};
use super::procedure::{Came, Next, Outgoing};
use crate::base::digest::sha256;
use crate::drivers::tpm::codec::attest::{self, Attest, Quoted};
use crate::drivers::tpm::codec::bytes::Malformed;
use crate::drivers::tpm::codec::key::{CreatePrimary, QuoteKey};
use crate::drivers::tpm::codec::packet::ResponseParts;
use crate::drivers::tpm::codec::pcr::PcrSelection;
use crate::drivers::tpm::codec::simple::FlushContext;
use alloc::boxed::Box;
use core::mem::take;

pub struct Quote {
    stage: Stage,
    report: Box<QuoteReport>,
    /// The handle of the key, as long as the TPM holds it.
    key: Option<u32>,
    before: Collector,
    after: Collector,
    result: Result<(), TpmError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    MakeKey,
    ReadBefore,
    Sign,
    ReadAfter,
    ForgetKey,
}

impl Quote {
    pub fn new(nonce: Nonce) -> Self {
        Self {
            stage: Stage::Begin,
            report: Box::new(QuoteReport {
                nonce,
                ..QuoteReport::default()
            }),
            key: None,
            before: Collector::default(),
            after: Collector::default(),
            result: Ok(()),
        }
    }

    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        if self.stage == Stage::ForgetKey {
            // Whether it could be forgotten changes nothing about the quote.
            return self.end();
        }
        let result = match came {
            None => Ok(Stage::MakeKey),
            Some(came) => came.and_then(|parts| self.on_answer(&parts)),
        };
        self.stage = result.unwrap_or_else(|error| {
            self.result = Err(error);
            Stage::ForgetKey
        });
        self.send(out)
    }

    fn send(&mut self, out: &mut Outgoing<'_>) -> Next {
        let key = self.key.unwrap_or_default();
        let read = match self.stage {
            Stage::ReadAfter => self.after.missing(),
            _ => self.before.missing(),
        };
        match (self.stage, read) {
            (Stage::Begin | Stage::MakeKey, _) => out.open(&CreatePrimary),
            (Stage::ReadBefore | Stage::ReadAfter, Some(read)) => out.plain(&read),
            (Stage::Sign, _) => out.open(&attest::Quote {
                key,
                nonce: &self.report.nonce,
                selection: PcrSelection::sha256(SHOWN),
            }),
            _ => match self.key.take() {
                Some(handle) => {
                    self.stage = Stage::ForgetKey;
                    out.plain(&FlushContext { handle })
                }
                None => self.end(),
            },
        }
    }

    fn end(&mut self) -> Next {
        let report = take(&mut self.report);
        Next::End(self.result.map(|()| Answer::Quote(report)))
    }

    /// What comes next.
    fn on_answer(&mut self, parts: &ResponseParts<'_>) -> Result<Stage, TpmError> {
        match self.stage {
            Stage::MakeKey => {
                // It must be forgotten even if the rest of the answer is nonsense.
                self.key = parts.handle;
                self.report.public = QuoteKey::parse(parts.handle, parts.parameters)?.public;
                Ok(Stage::ReadBefore)
            }
            Stage::ReadBefore => {
                self.before.add(parts.parameters)?;
                Ok(match self.before.missing() {
                    Some(_) => Stage::ReadBefore,
                    None => Stage::Sign,
                })
            }
            Stage::Sign => {
                self.keep(parts.parameters)?;
                Ok(Stage::ReadAfter)
            }
            Stage::ReadAfter => {
                self.after.add(parts.parameters)?;
                match self.after.missing() {
                    Some(_) => Ok(Stage::ReadAfter),
                    None => self.judge(),
                }
            }
            Stage::Begin | Stage::ForgetKey => Ok(Stage::ForgetKey),
        }
    }

    fn keep(&mut self, parameters: &[u8]) -> Result<(), TpmError> {
        let quoted = Quoted::parse(parameters)?;
        let report = &mut self.report;
        report.message.clear();
        report.signature.clear();
        let kept = report.message.extend_from_slice(quoted.message);
        let kept = kept.and(report.signature.extend_from_slice(quoted.signature));
        kept.map_err(|_| Malformed("quote").into())
    }

    /// Is what was signed what was read? Else all of it once more.
    fn judge(&mut self) -> Result<Stage, TpmError> {
        let attest = Attest::parse(&self.report.message)?;
        if attest.nonce != &self.report.nonce[..] {
            return Err(Malformed("quote nonce").into());
        }
        if attest.selection != PcrSelection::sha256(SHOWN) {
            return Err(Malformed("quote selection").into());
        }
        let values = self.before.report().values;
        let is_signed = attest.pcr_digest == sha256(&[values.as_flattened()]);
        if self.before.report() == self.after.report() {
            self.report.pcrs = *self.before.report();
            return match is_signed {
                true => Ok(Stage::ForgetKey),
                false => Err(Malformed("quote digest").into()),
            };
        }
        self.before.restart()?;
        self.after.restart()?;
        Ok(Stage::ReadBefore)
    }
}
