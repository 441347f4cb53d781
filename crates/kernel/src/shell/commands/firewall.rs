//! `firewall`: which packets come in and go out.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::net::firewall::words::{Form, offer_next, parse_packet, parse_rule};
use crate::net::firewall::{Change, Firewall, Reason, Stage, WordError, protocol_name};
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;
use crate::shell::suggest;

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let firewall = inspect.firewall();
    let (counts, paths) = (firewall.counts(), firewall.paths());
    let (of, to) = firewall.fast_path();
    let (denied_hosts, verdicts) = firewall.fast_path_used();
    report
        .fields("firewall")
        .count("rules", firewall.rules().len() as u64)
        .text("by_default", "out is allowed, in is what is offered")
        .count("checks", counts.checks())
        .count("allowed", counts.allowed)
        .count("denied", counts.denied)
        .count("rejected", counts.rejected)
        .count("rejected_without_a_word", counts.rejects_silenced);
    report
        .fields("fast path")
        .value("fast_path_hit_ratio", Value::Ratio { of, to })
        .count("searches", paths.search)
        .count("table_hits", paths.table)
        .count("table_entries", verdicts as u64)
        .count("deny_list_hits", paths.deny_list)
        .count("deny_list_hosts", denied_hosts as u64);
    report_flows(firewall, report);
    let mut offers = report.table("offered ports", &["tenant", "protocol", "port"]);
    for offer in firewall.offers() {
        let protocol = protocol_value(offer.protocol);
        offers.row(&[
            offer.tenant.index().into(),
            protocol,
            u64::from(offer.port).into(),
        ]);
    }
    Ok(None)
}

fn report_flows(firewall: &Firewall, report: &mut Report) {
    let counts = firewall.flow_counts();
    report
        .fields("flows")
        .count("followed", firewall.flows().count() as u64)
        .count("begun", counts.begun)
        .count("expired", counts.expired)
        .count("pushed_out", counts.pushed_out)
        .count("refused_for_room", counts.refused_full)
        .count("refused_for_tenant", counts.refused_tenant);
    let mut stages = report.table("flows by stage", &["stage", "flows", "time_out_ns"]);
    for stage in Stage::ALL {
        stages.row(&[
            stage.name().into(),
            firewall.flows_in(stage).into(),
            stage.patience().into(),
        ]);
    }
}

pub fn list(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &[
        "number",
        "action",
        "direction",
        "protocol",
        "from",
        "to",
        "tenant",
        "interface",
        "packets",
    ];
    let mut table = report.table("rules", columns);
    for (place, entry) in inspect.firewall().rules().iter().enumerate() {
        let rule = entry.rule;
        table.row(&[
            (place + 1).into(),
            rule.verdict.name().into(),
            any_or(rule.direction.map(|direction| direction.name().into())),
            any_or(rule.protocol.map(protocol_value)),
            format_args!("{}", rule.source).into(),
            format_args!("{}", rule.destination).into(),
            any_or(rule.tenant.map(|tenant| tenant.index().into())),
            any_or(rule.interface.map(Value::from)),
            entry.hits.packets.into(),
        ]);
    }
    Ok(None)
}

pub fn hits(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let firewall = inspect.firewall();
    let columns = &["number", "rule", "packets", "bytes", "last_at_ns"];
    let mut table = report.table("rules", columns);
    for (place, entry) in firewall.rules().iter().enumerate() {
        table.row(&[
            (place + 1).into(),
            format_args!("{}", entry.rule).into(),
            entry.hits.packets.into(),
            entry.hits.bytes.into(),
            never_or(entry.hits.last.map(Value::from)),
        ]);
    }
    let columns = &["decided_by", "packets", "bytes", "last_at_ns"];
    let mut table = report.table("all checks", columns);
    for (name, hits) in Reason::NAMES.iter().zip(&firewall.counts().by_reason) {
        table.row(&[
            (*name).into(),
            hits.packets.into(),
            hits.bytes.into(),
            never_or(hits.last.map(Value::from)),
        ]);
    }
    Ok(None)
}

pub fn add(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let words = call.arguments();
    let wish = parse_rule(words).map_err(|error| explain(error, Form::Rule, words))?;
    let end = inspect.firewall().rules().len() + 1;
    let number = wish.number.map_or(end, |number| number.min(end));
    report
        .fields("")
        .value("added_as", number)
        .value("rule", format_args!("{}", wish.rule));
    Ok(Some(Intent::Firewall(Change::Add(wish))))
}

pub fn remove(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let number = call.number(0).unwrap_or_default() as usize;
    let rules = inspect.firewall().rules();
    let place = number.checked_sub(1);
    let Some(entry) = place.and_then(|place| rules.get(place)) else {
        return Err(CommandError::NoSuchRule {
            number,
            count: rules.len(),
        });
    };
    report
        .fields("")
        .value("removed", number)
        .value("rule", format_args!("{}", entry.rule));
    Ok(Some(Intent::Firewall(Change::Remove { number })))
}

pub fn test(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let words = call.arguments();
    let mut facts = parse_packet(words).map_err(|error| explain(error, Form::Packet, words))?;
    let (now, firewall) = (inspect.now(), inspect.firewall());
    if !words.contains(&"interface") {
        // Most questions are about the outside.
        let mut interfaces = 0..INTERFACES_LOOKED_AT;
        let outside = interfaces.find(|interface| !firewall.is_inside(*interface));
        facts.interface = outside.unwrap_or_default();
    }
    let decision = firewall.explain(now, &facts);
    let mut fields = report.fields("");
    fields.text("verdict", decision.verdict.name());
    match decision.reason {
        Reason::Rule(place) => {
            fields.value("decided_by", format_args!("rule {}", place + 1));
            if let Some(entry) = firewall.rules().get(place) {
                fields.value("rule", format_args!("{}", entry.rule));
            }
        }
        reason => {
            fields.value("decided_by", format_args!("default: {}", reason.name()));
        }
    }
    fields.value("interface", facts.interface);
    Ok(None)
}

/// The loopback and the ports of a machine come first.
const INTERFACES_LOOKED_AT: usize = 64;

/// Says what is wrong, and what may have been meant.
fn explain(error: WordError, form: Form, words: &[&str]) -> CommandError {
    let wrong = error.unknown_word();
    let meant = wrong.and_then(|wrong| {
        let place = words.iter().position(|word| *word == wrong)?;
        let mut known = crate::base::fixed::Vec::<&'static str, 16>::new();
        offer_next(form, &words[..place], &mut |word| {
            // More words than have room have no clause to begin.
            let _ = known.push(word);
        });
        suggest::closest(wrong, known.iter().copied())
    });
    CommandError::Rule { error, meant }
}

fn any_or(value: Option<Value<'_>>) -> Value<'_> {
    value.unwrap_or(Value::Text("any"))
}

fn never_or(value: Option<Value<'_>>) -> Value<'_> {
    value.unwrap_or(Value::Text("never"))
}

fn protocol_value(number: u8) -> Value<'static> {
    match protocol_name(number) {
        Some(name) => name.into(),
        None => number.into(),
    }
}
