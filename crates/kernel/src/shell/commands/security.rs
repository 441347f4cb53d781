//! `security`: the policy that is in force.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::digest::Hex;
use crate::base::fixed::Text;
use crate::base::report::Value;
use crate::base::subject::Subject;
use crate::security::policy::{Class, ContextId, Effect, Label, Policy, Stage, Table};

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let policy = &inspect.security().policy;
    let counts = policy.counts();
    let decided = |effect: Effect| counts.by_effect[effect as usize];
    report
        .fields("policy")
        .count("version", policy.version())
        .value("sha256", format_args!("{}", Hex(policy.digest())))
        .text("by_default", Effect::Deny.name())
        .count("checks", counts.checks())
        .count("allowed", decided(Effect::Allow))
        .count("audited", decided(Effect::Audit))
        .count("denied", decided(Effect::Deny))
        .count("lock_outs_refused", counts.refused_lock_outs);
    let mut denials = report.table("denials", &["stage", "denied"]);
    for (stage, denied) in Stage::ALL.iter().zip(counts.denied_by_stage) {
        denials.row(&[stage.name().into(), denied.into()]);
    }
    let columns = &["table", "used", "capacity", "refused"];
    let mut tables = report.table("tables", columns);
    for (table, usage) in Table::ALL.iter().zip(policy.usages()) {
        tables.row(&[
            table.name().into(),
            usage.used.into(),
            usage.capacity.into(),
            usage.refused.into(),
        ]);
    }
    Ok(None)
}

pub fn policies(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let mut table = report.table("rules", &["number", "rule", "hits"]);
    for (place, entry) in inspect.security().policy.rules().iter().enumerate() {
        table.row(&[
            (place + 1).into(),
            format_args!("{}", entry.rule).into(),
            entry.hits.into(),
        ]);
    }
    Ok(None)
}

pub fn contexts(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let policy = &inspect.security().policy;
    let columns = &[
        "name",
        "level",
        "uid",
        "gid",
        "trusted",
        "subjects",
        "capabilities",
    ];
    let mut table = report.table("contexts", columns);
    for (id, context) in policy.contexts() {
        table.row(&[
            context.name.as_str().into(),
            context.level.name().into(),
            u64::from(context.owner.uid).into(),
            u64::from(context.owner.gid).into(),
            if context.is_trusted { "yes" } else { "no" }.into(),
            subjects_in(policy, id).as_str().into(),
            format_args!("{}", context.capabilities.named()).into(),
        ]);
    }
    Ok(None)
}

/// As many as a context can have: all consoles.
type Names = Text<64>;

fn subjects_in(policy: &Policy, id: ContextId) -> Names {
    let mut names = Names::new();
    let all = Subject::all().filter(|subject| policy.context_of(*subject) == id);
    for (index, subject) in all.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        names.push_cut(&Names::format(format_args!("{comma}{subject}")));
    }
    if names.is_empty() {
        names.push_cut("-");
    }
    names
}

pub fn labels(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &["object", "level", "owner", "mode"];
    let mut table = report.table("labels", columns);
    for (object, label) in inspect.security().policy.labels() {
        let cells = label_cells(label);
        let [level, owner, mode] = cells.each_ref().map(|cell| Value::Text(cell));
        table.row(&[format_args!("{object}").into(), level, owner, mode]);
    }
    let columns = &["class", "level", "owner", "mode"];
    let mut table = report.table("all others", columns);
    for class in Class::ALL {
        let cells = label_cells(&Label::of_class(class));
        let [level, owner, mode] = cells.each_ref().map(|cell| Value::Text(cell));
        table.row(&[class.name().into(), level, owner, mode]);
    }
    Ok(None)
}

fn label_cells(label: &Label) -> [Text<24>; 3] {
    [
        Text::cut_from(label.level.name()),
        Text::format(format_args!("{}", label.owner)),
        Text::format(format_args!("{}", label.mode)),
    ]
}

pub fn transitions(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let policy = &inspect.security().policy;
    let mut table = report.table("transitions", &["from", "object", "to"]);
    for transition in policy.transitions() {
        table.row(&[
            name_of(policy, transition.from),
            format_args!("{}", transition.object).into(),
            name_of(policy, transition.to),
        ]);
    }
    Ok(None)
}

fn name_of(policy: &Policy, id: ContextId) -> Value<'_> {
    let context = policy.context(id);
    context.map_or(Value::Unknown, |context| Value::Text(&context.name))
}
