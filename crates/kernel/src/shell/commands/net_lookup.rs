//! `net dns`, `net names`, `net fetch`: what is asked of the outside.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::report::Value;
use crate::net::dns::{Kind, Name};
use crate::net::http::Url;
use crate::net::outbound::Wish;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::storage::files::Act;
use alloc::boxed::Box;
use core::net::IpAddr;

/// The word behind which a fetch is told where to put what it brings.
pub const INTO: &[&str] = &["-o"];

pub const KINDS: &[&str] = &[Kind::A.name(), Kind::Aaaa.name()];

pub fn dns(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let word = call.text(0).unwrap_or_default();
    let refused = |reason| CommandError::NotAskable {
        word: CommandError::shown(word),
        reason,
    };
    if word.parse::<IpAddr>().is_ok() {
        return Err(refused("this is an address already; write a name"));
    }
    let name = Name::parse(word);
    let name =
        name.ok_or_else(|| refused("a name has letters, digits and hyphens between dots"))?;
    let kind = match call.text(1) {
        Some(word) if word == Kind::Aaaa.name() => Kind::Aaaa,
        _ => Kind::A,
    };
    ask(Wish::Lookup {
        name: Box::new(name),
        kind,
    })
}

pub fn fetch(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let word = call.text(0).unwrap_or_default();
    let url = Url::parse(word).map_err(|reason| CommandError::NotAskable {
        word: CommandError::shown(word),
        reason,
    })?;
    let url = Box::new(url);
    if call.text(1).is_none() {
        return ask(Wish::Fetch {
            url,
            is_for_file: false,
        });
    }
    let file = call.text(2).ok_or(CommandError::MissingArgument {
        command: call.command,
        action: call.action,
        argument: &call.action.arguments[2],
    })?;
    let file = super::files::wish(file, Act::Receive)?;
    Ok(Some(Intent::Operation(Operation::Save { url, file })))
}

fn ask(wish: Wish) -> Outcome {
    Ok(Some(Intent::Operation(Operation::Outbound(wish))))
}

pub fn names(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let now = inspect.now();
    let servers = inspect.name_servers();
    let mut table = report.table("name servers", &["address"]);
    for server in &servers {
        table.row(&[Value::Format(format_args!("{server}"))]);
    }
    let resolver = inspect.resolver();
    let view = resolver.view(now);
    let counters = &view.counters;
    report
        .fields("lookups")
        .value("running", view.running)
        .value("remembered", view.cached)
        .count("asked", counters.asked)
        .count("cache_hits", counters.cache_hits)
        .count("answered", counters.answered)
        .count("failed", counters.failed)
        .count("queries_sent", counters.queries_sent)
        .count("retries", counters.retries)
        .count("by_tcp", counters.by_tcp)
        .count("wrong_sender", counters.wrong_sender)
        .count("wrong_id", counters.wrong_id)
        .count("wrong_question", counters.wrong_question)
        .count("malformed", counters.malformed);
    let mut table = report.table("remembered", &["name", "kind", "address", "ttl_ns"]);
    resolver.visit_cache(now, &mut |entry| {
        let text;
        let address = match entry.address {
            Some(address) => {
                text = crate::base::fixed::Text::<48>::format(format_args!("{address}"));
                text.as_str().into()
            }
            None => Value::Unknown,
        };
        table.row(&[
            entry.name.as_str().into(),
            entry.kind.name().into(),
            address,
            entry.ttl.into(),
        ]);
    });
    Ok(None)
}
