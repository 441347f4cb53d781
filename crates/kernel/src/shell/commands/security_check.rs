//! `security check`: whether somebody may do something, and why.

use super::{Inspect, Invocation, Outcome, Report};
use crate::base::fixed::Text;
use crate::base::report::Value;
use crate::base::subject::Subject;
use crate::security::policy::{
    Context, ContextId, Explanation, Mode, Object, ObjectName, Policy, Reason, Verb, WordError,
    shown,
};
use crate::shell::command_error::CommandError;

/// Asks for every stage, not only for the one that decides.
pub const WHY: &[&str] = &["--why"];

pub fn check(call: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let policy = &inspect.security().policy;
    let id = read_subject(policy, call.text(0).unwrap_or_default())?;
    let object = read_object(call.text(2).unwrap_or_default())?;
    let object = object.as_object();
    let Some(verb) = call.text(1).and_then(Verb::parse) else {
        // The catalog lets only names of verbs through.
        return Ok(None);
    };
    let explanation = policy.explain(id, verb, &object);
    let (Some(explanation), Some(context)) = (explanation, policy.context(id)) else {
        return Ok(None);
    };
    let question = Question {
        policy,
        context,
        verb,
        object,
        explanation,
    };
    question.report_decision(report);
    if call.text(3).is_some() {
        question.report_stages(report);
    }
    Ok(None)
}

/// A subject, wherever it is now, or a context.
fn read_subject(policy: &Policy, word: &str) -> Result<ContextId, CommandError> {
    let subject = Subject::parse(word).map(|subject| policy.context_of(subject));
    let id = subject.or_else(|| policy.find_context(word));
    id.ok_or_else(|| CommandError::Policy(WordError::Nobody(shown(word))))
}

pub fn read_object(word: &str) -> Result<ObjectName, CommandError> {
    let object = ObjectName::parse(word);
    object.ok_or_else(|| CommandError::Policy(WordError::NotAnObject(shown(word))))
}

struct Question<'a> {
    policy: &'a Policy,
    context: &'a Context,
    verb: Verb,
    object: Object<'a>,
    explanation: Explanation,
}

/// Why a stage says what it says; a rule is the longest.
type Because = Text<192>;

impl Question<'_> {
    fn report_decision(&self, report: &mut Report) {
        let decision = self.explanation.decision;
        let mut fields = report.fields("");
        fields
            .text("effect", decision.effect.name())
            .text("context", &self.context.name)
            .text("stage", decision.stage().name());
        match decision.reason {
            Reason::Rule(place) => {
                fields.value("decided_by", format_args!("rule {}", place + 1));
                if let Some(entry) = self.policy.rules().get(place) {
                    fields.value("rule", format_args!("{}", entry.rule));
                }
            }
            Reason::Capability(capability) => {
                fields.value(
                    "decided_by",
                    format_args!("capability {}", capability.name()),
                );
            }
            reason => {
                fields.text("decided_by", reason.name());
            }
        }
    }

    /// All of them in their order, those behind the deciding one included.
    fn report_stages(&self, report: &mut Report) {
        let Explanation {
            levels,
            rule,
            is_mode_open,
            holds,
            ..
        } = self.explanation;
        let effect = rule.and_then(|place| self.policy.rules().get(place));
        let is_allowed = effect.is_some_and(|entry| entry.rule.effect.allows());
        let mut table = report.table("why", &["stage", "says", "because"]);
        let mut row = |stage: &'static str, passes: bool, because: Because| {
            let says = if passes { "passes" } else { "denies" };
            table.row(&[stage.into(), says.into(), Value::Text(&because)]);
        };
        row("levels", levels.is_ok(), self.because_of_levels());
        row("rules", is_allowed, self.because_of_rules());
        row("mode", is_mode_open, self.because_of_mode());
        row("capability", holds, self.because_of_capability());
    }

    fn because_of_levels(&self) -> Because {
        let label = self.explanation.label;
        let (own, level, verb) = (self.context.level, label.level, self.verb);
        let trusted = if self.context.is_trusted {
            " and trusted"
        } else {
            ""
        };
        let whose = match self.explanation.has_own_label {
            true => "its own label",
            false => "the label of its class",
        };
        let rule = match self.explanation.levels {
            Err(Reason::Isolated) => "only its owner and who is trusted touch it",
            Err(Reason::ReadUp) => "no read up",
            Err(_) => "no write down",
            Ok(()) => "that is in order",
        };
        Text::format(format_args!(
            "{verb} by {own}{trusted} on {level}, {whose}: {rule}"
        ))
    }

    fn because_of_rules(&self) -> Because {
        let place = self.explanation.rule;
        match place.and_then(|place| Some((place, self.policy.rules().get(place)?))) {
            Some((place, entry)) => {
                Text::format(format_args!("rule {}: {}", place + 1, entry.rule))
            }
            None => Text::cut_from("no rule means it, and what no rule means is denied"),
        }
    }

    fn because_of_mode(&self) -> Because {
        let Explanation { label, party, .. } = self.explanation;
        let (mode, owner) = (label.mode, label.owner);
        let (letter, party) = (Mode::letter(self.verb), party.name());
        Text::format(format_args!(
            "{mode} of {owner}: {} needs {letter} of {party}",
            self.verb
        ))
    }

    fn because_of_capability(&self) -> Because {
        let name = &self.context.name;
        match self.explanation.needs {
            None => Text::format(format_args!(
                "{} on a {} needs none",
                self.verb, self.object.class
            )),
            Some(needed) => {
                let may = if self.explanation.holds {
                    "may"
                } else {
                    "may not"
                };
                Text::format(format_args!("{name} {may} hold {}", needed.name()))
            }
        }
    }
}
