//! The shape of every benchmark: contenders side by side, interleaved, compared as a ratio of medians.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::host::Host;
use super::quantity::{Promise, Unit};
use super::statistics::Samples;
use crate::table::Table;

/// How many runs of a contender may fail before the benchmark is given up.
const FAILURES_MAX: u32 = 3;

/// One measurement.
pub struct Sample {
    /// In the unit of the comparison.
    pub value: f64,
    /// The exact command that was measured.
    pub command_line: String,
}

impl Sample {
    pub fn time(time: Duration, command_line: String) -> Self {
        Sample {
            value: time.as_secs_f64(),
            command_line,
        }
    }
}

/// Who takes part.
pub struct Contender {
    pub name: String,
    pub measure: Box<dyn FnMut() -> anyhow::Result<Sample>>,
}

/// Contenders that do the same under the same conditions. The first is ours, the second is what it is compared with.
pub struct Comparison {
    pub conditions: String,
    pub ours: Contender,
    pub peer: Contender,
    pub unit: Unit,
    /// The ratio that is promised, ours to the peer's.
    pub promise: Promise,
}

pub struct Bench {
    pub name: &'static str,
    /// What is measured from when to when, and what the reader must know to judge it.
    pub notes: Vec<String>,
    pub comparisons: Vec<Comparison>,
}

impl Bench {
    /// Runs everyone this often. Contenders take turns, so that a busy moment of the host hits all alike.
    pub fn run(mut self, runs: u32) -> anyhow::Result<Results> {
        let mut collected: Vec<[Collected; 2]> = self
            .comparisons
            .iter()
            .map(|_| Default::default())
            .collect();
        for run in 1..=runs {
            for (comparison, results) in self.comparisons.iter_mut().zip(&mut collected) {
                for (contender, result) in [&mut comparison.ours, &mut comparison.peer]
                    .into_iter()
                    .zip(results)
                {
                    eprintln!(
                        "run {run} of {runs}: {}, {}",
                        comparison.conditions, contender.name
                    );
                    match (contender.measure)() {
                        Ok(sample) => {
                            result.values.push(sample.value);
                            result.command_line = sample.command_line;
                        }
                        // A peer that hangs now and then must not keep the rest from being measured.
                        Err(error) if result.failures < FAILURES_MAX => {
                            eprintln!("{}: {error:#}; this run does not count", contender.name);
                            result.failures += 1;
                        }
                        Err(error) => return Err(error.context(contender.name.clone())),
                    }
                }
            }
        }
        let outcomes =
            self.comparisons
                .into_iter()
                .zip(collected)
                .map(|(comparison, [ours, peer])| {
                    Ok(Outcome {
                        ours: ours.finish(comparison.ours.name)?,
                        peer: peer.finish(comparison.peer.name)?,
                        conditions: comparison.conditions,
                        unit: comparison.unit,
                        promise: comparison.promise,
                    })
                });
        Ok(Results {
            name: self.name,
            notes: self.notes,
            host: Host::inspect(),
            outcomes: outcomes.collect::<anyhow::Result<_>>()?,
        })
    }
}

#[derive(Default)]
struct Collected {
    values: Vec<f64>,
    failures: u32,
    command_line: String,
}

impl Collected {
    fn finish(self, name: String) -> anyhow::Result<Measured> {
        let samples =
            Samples::new(self.values).with_context(|| format!("{name} was never measured"))?;
        Ok(Measured {
            name,
            samples,
            failures: self.failures,
            command_line: self.command_line,
        })
    }
}

struct Measured {
    name: String,
    samples: Samples,
    failures: u32,
    command_line: String,
}

struct Outcome {
    conditions: String,
    ours: Measured,
    peer: Measured,
    unit: Unit,
    promise: Promise,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        self.ours.samples.median() / self.peer.samples.median()
    }
}

impl Outcome {
    fn as_json(&self) -> Value {
        let contender = |measured: &Measured| {
            let samples = &measured.samples;
            let number = |value: f64| self.unit.as_json(value);
            let key = |name: &str| format!("{name}{}", self.unit.key_ending());
            let mut document = json!({
                "name": measured.name,
                "command_line": measured.command_line,
                "failed_runs": measured.failures,
            });
            document[key("median")] = number(samples.median());
            document[key("quartile_range")] = number(samples.quartile_range());
            document[key("min")] = number(samples.min());
            document[key("max")] = number(samples.max());
            document[key("samples")] = samples.all().iter().map(|value| number(*value)).collect();
            document
        };
        let mut document = json!({
            "conditions": self.conditions,
            "ratio": self.ratio(),
            "contenders": [contender(&self.ours), contender(&self.peer)],
        });
        let (key, bound) = self.promise.as_json();
        document[key] = bound.into();
        document
    }
}

pub struct Results {
    name: &'static str,
    notes: Vec<String>,
    host: Host,
    outcomes: Vec<Outcome>,
}

impl Results {
    pub fn as_text(&self) -> String {
        let mut table = Table::new([
            "conditions",
            "contender",
            "runs",
            "failed",
            "median",
            "quartile range",
            "min",
            "max",
            "ratio",
            "promised",
        ]);
        for outcome in &self.outcomes {
            for measured in [&outcome.ours, &outcome.peer] {
                let is_ours = std::ptr::eq(measured, &outcome.ours);
                let samples = &measured.samples;
                table.row([
                    outcome.conditions.clone(),
                    measured.name.clone(),
                    samples.all().len().to_string(),
                    measured.failures.to_string(),
                    outcome.unit.shown(samples.median()),
                    outcome.unit.shown(samples.quartile_range()),
                    outcome.unit.shown(samples.min()),
                    outcome.unit.shown(samples.max()),
                    if is_ours {
                        format!("{:.3}", outcome.ratio())
                    } else {
                        "1".to_string()
                    },
                    if is_ours {
                        outcome.promise.verdict(outcome.ratio())
                    } else {
                        String::new()
                    },
                ]);
            }
        }
        let mut text = format!(
            "bench {} on {}\n\n{table}\n",
            self.name,
            self.host.as_text()
        );
        self.notes
            .iter()
            .for_each(|note| text.push_str(&format!("{note}\n")));
        text.push_str("\ncommand lines:\n");
        let mut told: Vec<&str> = Vec::new();
        for outcome in &self.outcomes {
            for measured in [&outcome.ours, &outcome.peer] {
                // A guest that is measured in several ways was started once.
                if !told.contains(&measured.command_line.as_str()) {
                    told.push(&measured.command_line);
                    text.push_str(&format!(
                        "  {}, {}:\n    {}\n",
                        outcome.conditions, measured.name, measured.command_line
                    ));
                }
            }
        }
        text
    }

    pub fn as_json(&self) -> Value {
        let comparisons: Vec<Value> = self.outcomes.iter().map(Outcome::as_json).collect();
        json!({ "bench": self.name, "host": self.host.as_json(), "notes": self.notes, "comparisons": comparisons })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A contender that takes these times in turn and notes each turn.
    fn contender(name: &str, milliseconds: &[u64], turns: &Rc<RefCell<Vec<String>>>) -> Contender {
        let milliseconds = milliseconds.to_vec();
        let mut index = 0;
        let (name, turns) = (name.to_string(), turns.clone());
        let noted = name.clone();
        let measure = move || {
            turns.borrow_mut().push(noted.clone());
            index += 1;
            let time = Duration::from_millis(milliseconds[(index - 1) % milliseconds.len()]);
            Ok(Sample::time(time, format!("run {noted}")))
        };
        Contender {
            name,
            measure: Box::new(measure),
        }
    }

    fn bench(turns: &Rc<RefCell<Vec<String>>>) -> Bench {
        Bench {
            name: "test",
            notes: vec!["from start to end".to_string()],
            comparisons: vec![Comparison {
                conditions: "q35".to_string(),
                ours: contender("ours", &[10, 30, 20], turns),
                peer: contender("peer", &[100, 120, 80], turns),
                unit: Unit::Time,
                promise: Promise::AtMost(0.25),
            }],
        }
    }

    #[test]
    fn contenders_take_turns() {
        let turns = Rc::default();
        bench(&turns).run(3).unwrap();
        assert_eq!(
            *turns.borrow(),
            ["ours", "peer", "ours", "peer", "ours", "peer"]
        );
    }

    #[test]
    fn a_run_that_fails_is_counted_and_not_measured() {
        let mut bench = bench(&Rc::default());
        let mut results = vec![Err(anyhow::anyhow!("it hangs"))];
        bench.comparisons[0].peer.measure = Box::new(move || match results.pop() {
            Some(failure) => failure,
            None => Ok(Sample::time(
                Duration::from_millis(100),
                "run peer".to_string(),
            )),
        });
        let document = bench.run(3).unwrap().as_json();
        let peer = &document["comparisons"][0]["contenders"][1];
        assert_eq!(peer["failed_runs"], 1);
        assert_eq!(peer["samples_us"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn a_contender_that_never_finishes_ends_the_benchmark() {
        let mut bench = bench(&Rc::default());
        bench.comparisons[0].peer.measure = Box::new(|| Err(anyhow::anyhow!("it hangs")));
        assert_eq!(
            format!("{:#}", bench.run(9).err().unwrap()),
            "peer: it hangs"
        );
    }

    #[test]
    fn the_ratio_is_that_of_the_medians() {
        let results = bench(&Rc::default()).run(3).unwrap();
        let document = results.as_json();
        let ratio = document["comparisons"][0]["ratio"].as_f64().unwrap();
        assert!((ratio - 0.2).abs() < 1e-9, "{ratio}");
        assert_eq!(
            document["comparisons"][0]["contenders"][0]["median_us"],
            20_000
        );
        let text = results.as_text();
        assert!(
            text.contains("at most 0.25 (kept)") && text.contains("run peer"),
            "{text}"
        );
    }
}
