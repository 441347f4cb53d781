//! Does the evidence hold, and is what was measured what was built?

use serde_json::{Value, json};

use super::bank::{Bank, hex};
use super::event_log::{
    EV_EFI_BOOT_SERVICES_APPLICATION, EV_IPL, EV_SEPARATOR, Event, EventLog, REGISTERS,
};
use super::evidence::{Evidence, Files};
use super::golden::{BOOT_APPLICATION, Expected, Golden, KERNEL_FILE, Measured};
use super::quote::{Key, Quote};
use super::tools;

/// Something that must hold whatever was booted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    /// Why it does not hold.
    pub problem: Option<String>,
}

/// What became of one thing that must be in the log, or of one that must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    AsBuilt,
    Changed { expected: String, measured: String },
    Missing { expected: String },
    Repeated { count: usize },
    Unexpected { measured: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub pcr: usize,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub checks: Vec<Check>,
    pub items: Vec<Item>,
}

/// Names that the kernel measures and that are not part of a build.
const OF_THE_RUN: [&str; 4] = ["loader", "policy", "launch", "audit"];
/// The registers in which nothing but what was built may be.
const OF_THE_BUILD: std::ops::RangeInclusive<usize> = 8..=9;

impl Judgement {
    pub fn of(evidence: &Evidence, files: &Files, golden: &Golden) -> anyhow::Result<Judgement> {
        let mut checks = vec![
            Check {
                name: "signature",
                problem: signature_problem(evidence, files)?,
            },
            Check {
                name: "key",
                problem: key_problem(evidence),
            },
            Check {
                name: "quote",
                problem: quote_problem(evidence),
            },
        ];
        let log = match EventLog::parse(&evidence.log) {
            Ok(log) => log,
            Err(error) => {
                let problem = Some(format!("{error:#}"));
                checks.push(Check {
                    name: "event log",
                    problem,
                });
                let empty = EventLog {
                    banks: Vec::new(),
                    events: Vec::new(),
                };
                return Ok(Judgement {
                    checks,
                    items: items(&empty, golden),
                });
            }
        };
        checks.push(Check {
            name: "event log",
            problem: None,
        });
        checks.push(Check {
            name: "texts",
            problem: text_problem(&log),
        });
        checks.push(Check {
            name: "registers",
            problem: register_problem(&log, evidence),
        });
        checks.push(Check {
            name: "tpm2_eventlog",
            problem: reader_problem(&log, files),
        });
        Ok(Judgement {
            checks,
            items: items(&log, golden),
        })
    }

    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
            && self
                .items
                .iter()
                .all(|item| item.verdict == Verdict::AsBuilt)
    }

    pub fn to_json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({ "name": check.name, "ok": check.problem.is_none(), "problem": check.problem })
        });
        let items = self.items.iter().map(|item| {
            json!({ "name": item.name, "pcr": item.pcr, "ok": item.verdict == Verdict::AsBuilt,
                "verdict": item.verdict.to_string() })
        });
        json!({
            "ok": self.holds(),
            "checks": checks.collect::<Vec<_>>(),
            "items": items.collect::<Vec<_>>(),
        })
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::AsBuilt => formatter.write_str("as built"),
            Verdict::Changed { expected, measured } => {
                write!(
                    formatter,
                    "changed: expected {expected}, measured {measured}"
                )
            }
            Verdict::Missing { expected } => {
                write!(formatter, "missing: expected {expected}, measured nothing")
            }
            Verdict::Repeated { count } => write!(formatter, "measured {count} times"),
            Verdict::Unexpected { measured } => {
                write!(formatter, "unexpected: measured {measured}")
            }
        }
    }
}

/// By a program that nobody here wrote.
fn signature_problem(evidence: &Evidence, files: &Files) -> anyhow::Result<Option<String>> {
    let said = tools::check_quote(files, &evidence.nonce)?;
    Ok((!said.success).then(|| {
        let reason = said.stderr.lines().next().unwrap_or("it says nothing");
        format!("{} refuses it: {reason}", tools::CHECK_QUOTE)
    }))
}

fn key_problem(evidence: &Evidence) -> Option<String> {
    match Key::parse(&evidence.public) {
        Ok(key) => {
            let missing = key.missing_attributes();
            (!missing.is_empty()).then(|| format!("the key is not {}", missing.join(", ")))
        }
        Err(error) => Some(format!("{error:#}")),
    }
}

fn quote_problem(evidence: &Evidence) -> Option<String> {
    match Quote::parse(&evidence.message) {
        Ok(quote) => quote.problem(&evidence.nonce, &evidence.registers),
        Err(error) => Some(format!("{error:#}")),
    }
}

/// Data with another digest than its own would be a lie about the register.
fn text_problem(log: &EventLog<'_>) -> Option<String> {
    let is_hashed = |event: &&Event<'_>| match event.own_text() {
        Some(text) => text != KERNEL_FILE,
        None => event.kind == EV_SEPARATOR,
    };
    log.events.iter().filter(is_hashed).find_map(|event| {
        let bank = event.bank_that_differs()?.name();
        Some(format!(
            "{} does not have the {bank} digest beside it",
            shown(event)
        ))
    })
}

fn register_problem(log: &EventLog<'_>, evidence: &Evidence) -> Option<String> {
    if !log.banks.contains(&Bank::Sha256) {
        return Some("the log has no SHA-256 digests".to_string());
    }
    let replayed = log.replay(Bank::Sha256);
    let touched = log.events.iter().map(|event| event.pcr);
    let quoted = |number: &usize| evidence.registers.iter().any(|(it, _)| it == number);
    if let Some(number) = touched
        .into_iter()
        .find(|number| !quoted(number) && *number < 16)
    {
        return Some(format!(
            "register {number} is in the log and not in the quote"
        ));
    }
    let differs = evidence
        .registers
        .iter()
        .find(|(number, value)| replayed[*number] != value);
    differs.map(|(number, value)| {
        let replayed = hex(&replayed[*number]);
        format!(
            "register {number} is {} and the log says {replayed}",
            hex(value)
        )
    })
}

/// Two readers of one log must agree, in every bank.
fn reader_problem(log: &EventLog<'_>, files: &Files) -> Option<String> {
    let computed = match tools::replay(files) {
        Ok(computed) => computed,
        Err(error) => return Some(format!("{error:#}")),
    };
    for bank in &log.banks {
        let own = log.replay(*bank);
        let Some(others) = computed.get(bank) else {
            return Some(format!("it computes no registers of {}", bank.name()));
        };
        for (number, value) in others {
            if *number >= REGISTERS || own[*number] != *value {
                return Some(format!(
                    "it computes another {} register {number}",
                    bank.name()
                ));
            }
        }
    }
    None
}

/// What became of everything that must be in this log, and what else is there that must not.
pub fn items(log: &EventLog<'_>, golden: &Golden) -> Vec<Item> {
    let mut items: Vec<Item> = golden
        .0
        .iter()
        .map(|expected| judge(log, expected))
        .collect();
    for event in &log.events {
        if !golden.0.iter().any(|expected| is_about(event, expected)) && is_of_interest(event) {
            let measured = shown(event);
            items.push(Item {
                name: "other".to_string(),
                pcr: event.pcr,
                verdict: Verdict::Unexpected { measured },
            });
        }
    }
    items
}

fn judge(log: &EventLog<'_>, expected: &Expected) -> Item {
    let events: Vec<_> = log
        .events
        .iter()
        .filter(|event| is_about(event, expected))
        .collect();
    let verdict = match (events.as_slice(), &expected.measured) {
        ([], _) => Verdict::Missing {
            expected: expected_text(expected),
        },
        ([event], Measured::Text(text)) => {
            let measured = event.own_text().and_then(|text| text.split_once(' '));
            let measured = measured.map_or("", |(_, text)| text);
            if measured == text {
                Verdict::AsBuilt
            } else {
                let (expected, measured) = (text.clone(), measured.to_string());
                Verdict::Changed { expected, measured }
            }
        }
        ([event], Measured::Digests(digests)) => {
            // In every bank that the log has, or a machine could choose the bank in which it lies.
            let is_built = |digest: &(Bank, &[u8])| {
                digests
                    .iter()
                    .any(|(bank, built)| (*bank, built.as_slice()) == *digest)
            };
            match event.digests.iter().find(|digest| !is_built(digest)) {
                None => Verdict::AsBuilt,
                Some((bank, measured)) => {
                    let built = digests.iter().find(|(it, _)| it == bank);
                    let text = |digest: &[u8]| format!("{}={}", bank.name(), hex(digest));
                    Verdict::Changed {
                        expected: built.map_or("nothing".to_string(), |(_, built)| text(built)),
                        measured: text(measured),
                    }
                }
            }
        }
        (several, _) => Verdict::Repeated {
            count: several.len(),
        },
    };
    Item {
        name: expected.name.to_string(),
        pcr: expected.pcr,
        verdict,
    }
}

/// Is it the event of this thing, whatever it says of it?
fn is_about(event: &Event<'_>, expected: &Expected) -> bool {
    if event.pcr != expected.pcr {
        return false;
    }
    if expected.name == BOOT_APPLICATION {
        return event.kind == EV_EFI_BOOT_SERVICES_APPLICATION;
    }
    let name = event.own_text().and_then(|text| text.split(' ').next());
    event.kind == EV_IPL && name == Some(expected.name)
}

/// Of what is not expected, firmware measures much that is its own affair; the kernel's registers and words are not.
fn is_of_interest(event: &Event<'_>) -> bool {
    match event.own_text() {
        Some(text) => !OF_THE_RUN.contains(&text.split(' ').next().unwrap_or_default()),
        None => OF_THE_BUILD.contains(&event.pcr),
    }
}

fn expected_text(expected: &Expected) -> String {
    match &expected.measured {
        Measured::Text(text) => text.clone(),
        Measured::Digests(digests) => {
            let digest = digests.iter().find(|(bank, _)| *bank == Bank::Sha256);
            digest.map_or_else(String::new, |(_, digest)| format!("sha256={}", hex(digest)))
        }
    }
}

/// Text of an outsider is shown without what could move a terminal's cursor.
fn shown(event: &Event<'_>) -> String {
    match std::str::from_utf8(event.data) {
        Ok(text) if !event.data.is_empty() => format!("{text:?}"),
        _ => format!(
            "an event of kind {:#x} with {} bytes",
            event.kind,
            event.data.len()
        ),
    }
}

#[cfg(test)]
mod tests;
