//! The shape of every benchmark: contenders side by side, interleaved, compared as a ratio of medians.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use super::host::Host;
use super::statistics::Samples;
use crate::table::Table;

/// How many runs of a contender may fail before the benchmark is given up.
const FAILURES_MAX: u32 = 3;

/// One measurement.
pub struct Sample {
    pub time: Duration,
    /// The exact command that was measured.
    pub command_line: String,
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
    /// The ratio that is promised, ours to the peer's.
    pub ratio_max: f64,
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
                            result.times.push(sample.time);
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
                        ratio_max: comparison.ratio_max,
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
    times: Vec<Duration>,
    failures: u32,
    command_line: String,
}

impl Collected {
    fn finish(self, name: String) -> anyhow::Result<Measured> {
        let samples =
            Samples::new(self.times).with_context(|| format!("{name} was never measured"))?;
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
    ratio_max: f64,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        self.ours.samples.median().as_secs_f64() / self.peer.samples.median().as_secs_f64()
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
                    milliseconds(samples.median()),
                    milliseconds(samples.quartile_range()),
                    milliseconds(samples.min()),
                    milliseconds(samples.max()),
                    if is_ours {
                        format!("{:.3}", outcome.ratio())
                    } else {
                        "1".to_string()
                    },
                    if is_ours {
                        promise(outcome)
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
        for outcome in &self.outcomes {
            for measured in [&outcome.ours, &outcome.peer] {
                text.push_str(&format!(
                    "  {}, {}:\n    {}\n",
                    outcome.conditions, measured.name, measured.command_line
                ));
            }
        }
        text
    }

    pub fn as_json(&self) -> Value {
        let contender = |measured: &Measured| {
            let samples = &measured.samples;
            json!({
                "name": measured.name,
                "command_line": measured.command_line,
                "failed_runs": measured.failures,
                "median_us": microseconds(samples.median()),
                "quartile_range_us": microseconds(samples.quartile_range()),
                "min_us": microseconds(samples.min()),
                "max_us": microseconds(samples.max()),
                "samples_us": samples.all().iter().map(|time| microseconds(*time)).collect::<Vec<_>>(),
            })
        };
        let comparisons: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| {
                json!({
                    "conditions": outcome.conditions,
                    "ratio": outcome.ratio(),
                    "ratio_max": outcome.ratio_max,
                    "contenders": [contender(&outcome.ours), contender(&outcome.peer)],
                })
            })
            .collect();
        json!({ "bench": self.name, "host": self.host.as_json(), "notes": self.notes, "comparisons": comparisons })
    }
}

fn promise(outcome: &Outcome) -> String {
    let verdict = if outcome.ratio() <= outcome.ratio_max {
        "kept"
    } else {
        "broken"
    };
    format!("at most {} ({verdict})", outcome.ratio_max)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}ms", time.as_secs_f64() * 1000.0)
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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
            Ok(Sample {
                time: Duration::from_millis(milliseconds[(index - 1) % milliseconds.len()]),
                command_line: format!("run {noted}"),
            })
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
                ratio_max: 0.25,
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
            None => Ok(Sample {
                time: Duration::from_millis(100),
                command_line: "run peer".to_string(),
            }),
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
