//! `tpm`: what was booted, as measured, and the TPM that vouches for it.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::digest::{Hex, parse_hex};
use crate::base::hash::Algorithm;
use crate::base::report::Value;
use crate::drivers::tpm::client::Nonce;
use crate::drivers::tpm::codec::attest::NONCE_BYTES_MAX;
use crate::security::measured::boot::Root;
use crate::security::measured::format::kind_name;
use crate::security::measured::request::Wish;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;

/// Bytes of the log in one answer; twice as many digits.
const EXPORT_BYTES: usize = 8 * 1024;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let measured = &inspect.security().measured;
    let view = measured.tpm();
    let log = measured.log();
    // Nobody has waited for a TPM that was not asked.
    let longest = (view.counters.commands > 0).then_some(view.counters.longest);
    let reason = match measured.root() {
        Root::Software(reason) => reason.as_str(),
        Root::Sought | Root::Tpm => "none",
    };
    report
        .fields("tpm")
        .text("state", measured.state_name())
        .text("registers", measured.root_name())
        .text("reason", reason)
        .value("interface", known(view.facts.map(|facts| facts.interface)))
        .value("manufacturer", known(Some(&view.identity.manufacturer)))
        .value("vendor", known(Some(&view.identity.vendor)))
        .value("firmware_version", view.identity.firmware_version)
        .count("commands", view.counters.commands)
        .count("retries", view.counters.retries)
        .count("faults", view.counters.faults)
        .value("longest_ns", longest);
    report
        .fields("log")
        .count("events", log.len() as u64)
        .count("firmware_events", log.firmware_events() as u64)
        .text("firmware_log", measured.firmware_log_name())
        .count("bytes", log.bytes().len() as u64)
        .count("refused", log.refused());
    let mut table = report.table("phases", &["phase", "state", "at_ns"]);
    for (phase, ended) in measured.phases() {
        let state = match ended {
            Some(_) => "measured",
            None => "to come",
        };
        table.row(&[phase.name().into(), state.into(), ended.into()]);
    }
    Ok(None)
}

/// What is empty was not read from the device.
fn known(text: Option<&str>) -> Value<'_> {
    match text {
        None | Some("") => Value::Unknown,
        Some(text) => Value::Text(text),
    }
}

pub fn log(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let log = inspect.security().measured.log();
    let mut table = report.table("events", &["event", "pcr", "type", "sha256", "what"]);
    for (index, event) in log.events().enumerate() {
        let number = format_args!("{:#010x}", event.kind);
        let kind = kind_name(event.kind).map_or(Value::Format(number), Value::Text);
        let digest = event.digest(log.banks(), Algorithm::Sha256);
        let digits = Hex(digest.unwrap_or_default());
        let digits = format_args!("{digits}");
        table.row(&[
            index.into(),
            event.pcr.into(),
            kind,
            digest.map_or(Value::Unknown, |_| Value::Format(digits)),
            event.text().unwrap_or_default().into(),
        ]);
    }
    Ok(None)
}

pub fn export(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let bytes = inspect.security().measured.log().bytes();
    let offset = call.number(0).unwrap_or_default() as usize;
    let offset = offset.min(bytes.len());
    let end = bytes.len().min(offset + EXPORT_BYTES);
    let next = (end < bytes.len()).then_some(end as u64);
    report
        .fields("log")
        .count("total_bytes", bytes.len() as u64)
        .count("offset_bytes", offset as u64)
        .value("next_offset_bytes", next)
        .value("bytes", format_args!("{}", Hex(&bytes[offset..end])));
    Ok(None)
}

pub fn pcrs(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    wish(Wish::Pcrs)
}

pub fn verify(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    wish(Wish::Verify)
}

pub fn store(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    wish(Wish::Store)
}

pub fn load(_: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    wish(Wish::Load)
}

pub fn quote(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let word = call.text(0).unwrap_or_default();
    let mut nonce = Nonce::new();
    let mut bytes = [0; NONCE_BYTES_MAX];
    let read = parse_hex(word, &mut bytes).filter(|bytes| !bytes.is_empty());
    // It is as long as a nonce can be.
    let kept = read.map(|bytes| nonce.extend_from_slice(bytes));
    match kept {
        Some(Ok(())) => wish(Wish::Quote(nonce)),
        _ => Err(CommandError::NotANonce {
            word: CommandError::shown(word),
        }),
    }
}

fn wish(wish: Wish) -> Outcome {
    Ok(Some(Intent::Operation(Operation::Tpm(wish))))
}

pub fn kept(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let security = inspect.security();
    let measured = &security.measured;
    let mut fields = report.fields("nv");
    fields.value("state", format_args!("{}", measured.kept()));
    if let Some(record) = measured.kept().record() {
        let is_in_force = record.policy_digest == *security.policy.digest();
        fields
            .count("times", record.stored)
            .count("policy_version", record.policy_version)
            .value("policy", format_args!("{}", Hex(&record.policy_digest)))
            .value("is_in_force", is_in_force)
            .value("audit_head", format_args!("{}", Hex(&record.audit_head)))
            .count("audit_entries", record.audit_entries);
    }
    Ok(None)
}
