//! `security rule`, `label`, `context`, `transition`: what changes the policy.

use super::security_check::read_object;
use super::{Inspect, Invocation, Outcome, Report};
use crate::base::capability::{Capability, CapabilitySet};
use crate::security::policy::words::parse_rule;
use crate::security::policy::{
    CapabilityBits, Change, ContextWish, Label, Level, Mode, Name, Owner, WordError,
    is_context_name, shown,
};
use crate::shell::catalog::Intent;
use crate::shell::command_error::CommandError;

pub fn add_rule(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let wish = parse_rule(call.arguments()).map_err(CommandError::Policy)?;
    let end = inspect.security().policy.rules().len() + 1;
    let number = wish.number.map_or(end, |number| number.min(end));
    report
        .fields("")
        .value("added_as", number)
        .value("rule", format_args!("{}", wish.rule));
    Ok(Some(Intent::Policy(Change::AddRule {
        rule: wish.rule,
        number: wish.number,
    })))
}

pub fn remove_rule(
    call: &Invocation<'_>,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let number = call.number(0).unwrap_or_default() as usize;
    report_rule("removed", number, number, inspect, report);
    Ok(Some(Intent::Policy(Change::RemoveRule { number })))
}

pub fn move_rule(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let number = call.number(0).unwrap_or_default() as usize;
    let to = call.number(1).unwrap_or_default() as usize;
    report_rule("moved_to", to, number, inspect, report);
    Ok(Some(Intent::Policy(Change::MoveRule { number, to })))
}

fn report_rule(
    key: &'static str,
    value: usize,
    number: usize,
    inspect: &mut dyn Inspect,
    report: &mut Report,
) {
    let place = number.checked_sub(1);
    let rules = inspect.security().policy.rules();
    if let Some(entry) = place.and_then(|place| rules.get(place)) {
        report
            .fields("")
            .value(key, value)
            .value("rule", format_args!("{}", entry.rule));
    }
}

pub fn set_label(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let object = read_object(call.text(0).unwrap_or_default())?;
    let before = inspect.security().policy.label_of(&object.as_object());
    let label = Label {
        level: read_level(call, 1),
        owner: match call.text(2) {
            Some(word) => Owner::parse(word)
                .ok_or_else(|| CommandError::Policy(WordError::NotAnOwner(shown(word))))?,
            None => before.owner,
        },
        mode: match call.text(3) {
            Some(word) => Mode::parse(word)
                .ok_or_else(|| CommandError::Policy(WordError::NotAMode(shown(word))))?,
            None => before.mode,
        },
    };
    report
        .fields("")
        .value("object", format_args!("{object}"))
        .text("level", label.level.name())
        .value("owner", format_args!("{}", label.owner))
        .value("mode", format_args!("{}", label.mode));
    Ok(Some(Intent::Policy(Change::SetLabel { object, label })))
}

pub fn remove_label(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let object = read_object(call.text(0).unwrap_or_default())?;
    let label = Label::of_class(object.as_object().class);
    report
        .fields("")
        .value("object", format_args!("{object}"))
        .text("level", label.level.name())
        .value("owner", format_args!("{}", label.owner))
        .value("mode", format_args!("{}", label.mode));
    Ok(Some(Intent::Policy(Change::RemoveLabel { object })))
}

pub fn create_context(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let id = |index| call.number(index).unwrap_or_default() as u32;
    let names = call.arguments().iter().skip(4);
    let capabilities = names
        .filter_map(|name| Capability::parse(name))
        .fold(CapabilitySet::NONE, CapabilitySet::with);
    let wish = ContextWish {
        name: read_context(call, 0)?,
        level: read_level(call, 1),
        owner: Owner {
            uid: id(2),
            gid: id(3),
        },
        capabilities: CapabilityBits::of(capabilities),
    };
    report
        .fields("")
        .text("created", &wish.name)
        .text("level", wish.level.name())
        .value("owner", format_args!("{}", wish.owner))
        .value("capabilities", format_args!("{capabilities}"));
    Ok(Some(Intent::Policy(Change::CreateContext(wish))))
}

pub fn remove_context(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let name = read_context(call, 0)?;
    report.fields("").text("removed", &name);
    Ok(Some(Intent::Policy(Change::RemoveContext { name })))
}

pub fn add_transition(call: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let (from, to) = (read_context(call, 0)?, read_context(call, 2)?);
    let object = read_object(call.text(1).unwrap_or_default())?;
    report
        .fields("")
        .text("from", &from)
        .value("object", format_args!("{object}"))
        .text("to", &to);
    Ok(Some(Intent::Policy(Change::AddTransition {
        from,
        object,
        to,
    })))
}

pub fn remove_transition(
    call: &Invocation<'_>,
    _: &mut dyn Inspect,
    report: &mut Report,
) -> Outcome {
    let from = read_context(call, 0)?;
    let object = read_object(call.text(1).unwrap_or_default())?;
    report
        .fields("")
        .text("removed_from", &from)
        .value("object", format_args!("{object}"));
    Ok(Some(Intent::Policy(Change::RemoveTransition {
        from,
        object,
    })))
}

/// The catalog lets only names of levels through.
fn read_level(call: &Invocation<'_>, index: usize) -> Level {
    let level = call.text(index).and_then(Level::parse);
    level.unwrap_or(Level::Isolated)
}

fn read_context(call: &Invocation<'_>, index: usize) -> Result<Name, CommandError> {
    let word = call.text(index).unwrap_or_default();
    match is_context_name(word) {
        true => Ok(Name::cut_from(word)),
        false => Err(CommandError::Policy(WordError::NotAContextName(shown(
            word,
        )))),
    }
}
