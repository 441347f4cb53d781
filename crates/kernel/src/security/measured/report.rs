//! The measured boot and the TPM's answers as people and programs read them.

use super::boot::{MeasuredBoot, NOT_MEASURED, Root};
use super::record::{Kept, Record};
use super::request::{NV_INDEX, Request, Wish};
use super::verify::{Misfit, verify};
use crate::base::digest::{Digest, Hex};
use crate::base::report::Report;
use crate::drivers::tpm::client::{Answer, QuoteReport};
use crate::limits::PCRS_SHOWN;

/// What a register is for.
pub const fn purpose(pcr: usize) -> &'static str {
    match pcr {
        0 => "firmware and loader",
        1 => "firmware's settings",
        2 | 3 => "firmware's drivers",
        4 => "boot configuration",
        5 => "partition table",
        6 => "maker of the machine",
        7 => "secure boot",
        8 => "kernel",
        9 => "ram disk",
        10 => "security policy",
        11 => "workload launches",
        12 => "audit trail",
        _ => "not used",
    }
}

const SELECTION: &str = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15";

impl MeasuredBoot {
    /// Who keeps the registers, as every face says it.
    pub const fn root_name(&self) -> &'static str {
        match self.root() {
            Root::Sought => "unknown",
            Root::Tpm => "tpm",
            Root::Software(_) => "software (not attested)",
        }
    }

    /// What somebody who relies on this machine wants to know.
    pub fn state_name(&self) -> &'static str {
        match self.root() {
            Root::Software(_) => "software (not attested)",
            Root::Sought => "measuring",
            Root::Tpm if !self.is_settled() => "measuring",
            Root::Tpm if self.is_attested() => "attested",
            Root::Tpm => self.doubt().unwrap_or(NOT_MEASURED),
        }
    }

    pub(super) fn report_answer(&self, request: &Request, answer: &Answer, report: &mut Report) {
        match answer {
            Answer::Pcrs(pcrs) => self.report_pcrs(request, &pcrs.values, report),
            Answer::Quote(quote) => self.report_quote(request, quote, report),
            Answer::NvStored { is_new } => {
                report
                    .fields("stored")
                    .value("index", format_args!("{NV_INDEX:#010x}"))
                    .value("is_new", *is_new);
            }
            Answer::NvLoaded(_) => match self.kept() {
                Kept::Record(record) => self.report_record(record, report),
                kept => report.fail(format_args!("{kept}")),
            },
            Answer::Extended | Answer::Random(_) | Answer::NvRemoved => {}
        }
    }

    pub(super) fn report_pcrs(
        &self,
        request: &Request,
        pcrs: &[Digest; PCRS_SHOWN],
        report: &mut Report,
    ) {
        if request.wish == Wish::Verify {
            return self.report_verified(pcrs, report);
        }
        report
            .fields("registers")
            .text("kept_by", self.root_name())
            .text("bank", "sha256");
        add_pcrs(pcrs, report);
    }

    fn report_verified(&self, pcrs: &[Digest; PCRS_SHOWN], report: &mut Report) {
        match verify(self.log(), pcrs) {
            Ok(()) => {
                report
                    .fields("verified")
                    .value("fits", true)
                    .text("registers", self.root_name())
                    .count("events", self.log().len() as u64)
                    .count("firmware_events", self.log().firmware_events() as u64)
                    .count("refused", self.log().refused());
            }
            Err(misfit) => self.report_misfit(&misfit, report),
        }
    }

    fn report_misfit(&self, misfit: &Misfit, report: &mut Report) {
        let reason = misfit.reason();
        match (misfit.event(), misfit.pcr()) {
            (Some(index), pcr) => {
                let event = self.log().events().nth(index);
                let text = event.and_then(|event| event.text()).unwrap_or("no text");
                let pcr = pcr.or(event.map(|event| event.pcr)).unwrap_or_default();
                report.fail(format_args!(
                    "event {index} (register {pcr}, \"{text}\") does not fit: {reason}"
                ));
            }
            (None, Some(pcr)) => report.fail(format_args!(
                "register {pcr} does not fit: it was extended, and no event of the log is about it"
            )),
            (None, None) => report.fail(format_args!("the log does not fit: {reason}")),
        }
    }

    fn report_quote(&self, request: &Request, quote: &QuoteReport, report: &mut Report) {
        let facts = self.tpm().facts;
        let interface = facts.map_or("unknown", |facts| facts.interface);
        report
            .fields("quote")
            .value("nonce", format_args!("{}", Hex(&quote.nonce)))
            .text("interface", interface)
            .text("key", "ecdsa-p256-sha256")
            .value("message", format_args!("{}", Hex(&quote.message)))
            .value("signature", format_args!("{}", Hex(&quote.signature)))
            .value("public", format_args!("{}", Hex(&quote.public)))
            .text("bank", "sha256")
            .text("selection", SELECTION)
            .count("log_bytes", request.log_bytes as u64)
            .count("log_events", request.log_events as u64);
        add_pcrs(&quote.pcrs.values, report);
    }

    fn report_record(&self, record: &Record, report: &mut Report) {
        report
            .fields("stored")
            .count("times", record.stored)
            .count("policy_version", record.policy_version)
            .value("policy", format_args!("{}", Hex(&record.policy_digest)))
            .value("is_in_force", self.is_in_force(&record.policy_digest))
            .value("audit_head", format_args!("{}", Hex(&record.audit_head)))
            .count("audit_entries", record.audit_entries);
    }
}

fn add_pcrs(pcrs: &[Digest; PCRS_SHOWN], report: &mut Report) {
    let mut table = report.table("pcrs", &["pcr", "sha256", "what"]);
    for (pcr, value) in pcrs.iter().enumerate() {
        table.row(&[
            pcr.into(),
            format_args!("{}", Hex(value)).into(),
            purpose(pcr).into(),
        ]);
    }
}
