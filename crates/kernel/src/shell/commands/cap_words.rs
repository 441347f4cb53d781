//! The words of `cap`: subjects, capabilities, times, constraints.

use crate::base::capability::{Capability, CapabilitySet, Constraints, Order, PortRange};
use crate::base::subject::Subject;
use crate::base::time::Duration;
use crate::shell::command_error::CommandError;
use crate::shell::quantity::Quantity;
use crate::shell::render::Unit;
use core::num::{NonZeroU32, NonZeroU64};

type Read<T> = Result<T, CommandError>;

fn no(word: &str, reason: &'static str) -> CommandError {
    CommandError::NotOfRights {
        word: CommandError::shown(word),
        reason,
    }
}

/// Four words or more: to whom, what, for how long, under which constraints.
pub fn read_order(words: &[&str]) -> Read<Order> {
    let word = |place: usize| words.get(place).copied().unwrap_or_default();
    Ok(Order {
        to: read_subject(word(0))?,
        capabilities: read_capabilities(word(1))?,
        time_to_live: read_time(word(2))?,
        constraints: read_constraints(words.get(3..).unwrap_or_default())?,
    })
}

pub fn read_subject(word: &str) -> Read<Subject> {
    Subject::parse(word).ok_or_else(|| {
        no(
            word,
            "is no subject; it is kernel, tenant-NUMBER, serial, screen, display, console, api or visitor",
        )
    })
}

/// Names with commas or bars between them, `all` or `none`.
pub fn read_capabilities(word: &str) -> Read<CapabilitySet> {
    match word {
        "all" => return Ok(CapabilitySet::ALL),
        "none" => return Ok(CapabilitySet::NONE),
        _ => {}
    }
    let mut set = CapabilitySet::NONE;
    for name in word.split([',', '|']) {
        let capability = Capability::parse(name).ok_or_else(|| {
            no(
                name,
                "is no capability; it is NET, DISK_R, DISK_W, GPU, INPUT, CONSOLE_R, CONSOLE_W, AUDIT or ADMIN",
            )
        })?;
        set = set.with(capability);
    }
    Ok(set)
}

fn read_time(word: &str) -> Read<Duration> {
    let error = || {
        no(
            word,
            "is no time; write a number with a unit, as 30s, 10min or 2h",
        )
    };
    let number = word.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    // What a minute is called on the command lines of others.
    let quantity = match &word[number.len()..] {
        "" => None,
        "m" => Quantity::parse(number, Unit::Plain).map(|minutes| Quantity {
            numerator: minutes.numerator * 60_000_000_000,
            ..minutes
        }),
        _ => Quantity::parse(word, Unit::Span(1)),
    };
    let nanos = quantity.and_then(whole).ok_or_else(error)?;
    Ok(Duration::from_nanos(nanos))
}

fn read_constraints(words: &[&str]) -> Read<Constraints> {
    let mut constraints = Constraints::NONE;
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let has_come = match name {
            "ports" => {
                let ports = read_ports(value).ok_or_else(|| {
                    no(word, "names no ports; write ports=FIRST-LAST or ports=PORT")
                })?;
                constraints.ports.replace(ports).is_some()
            }
            "bandwidth" => {
                let rate = Quantity::parse(value, Unit::Bytes).and_then(whole);
                let rate = rate.and_then(NonZeroU64::new).ok_or_else(|| {
                    no(
                        word,
                        "is no bandwidth; write bytes a second above 0, as bandwidth=1MiB",
                    )
                })?;
                constraints.bandwidth_bytes_per_s.replace(rate).is_some()
            }
            "concurrency" => {
                let most = value.parse().ok().and_then(NonZeroU32::new);
                let most = most.ok_or_else(|| {
                    no(
                        word,
                        "is no number of operations; write one above 0, as concurrency=4",
                    )
                })?;
                constraints.concurrency.replace(most).is_some()
            }
            _ => {
                return Err(no(
                    word,
                    "is no constraint; it is ports=FIRST-LAST, bandwidth=BYTES or concurrency=NUMBER",
                ));
            }
        };
        if has_come {
            return Err(no(
                word,
                "comes a second time; each kind of constraint comes once",
            ));
        }
    }
    Ok(constraints)
}

fn read_ports(word: &str) -> Option<PortRange> {
    let (low, high) = word.split_once('-').unwrap_or((word, word));
    PortRange::new(low.parse().ok()?, high.parse().ok()?)
}

fn whole(quantity: Quantity) -> Option<u64> {
    let over = i128::from(quantity.denominator);
    u64::try_from(quantity.numerator / over.max(1)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn an_order_is_read_as_it_is_written() {
        let order = read_order(&["tenant-3", "net,disk_r", "1.5h", "ports=80-443"]);
        let order = order.ok().unwrap();
        assert_eq!(order.to.to_string(), "tenant-3");
        assert_eq!(order.capabilities.to_string(), "NET|DISK_R");
        assert_eq!(order.time_to_live, Duration::from_secs(5_400));
        assert_eq!(order.constraints.to_string(), "ports=80-443");
        let all = ["concurrency=4", "ports=22", "bandwidth=1KiB"];
        let constraints = read_constraints(&all).ok().unwrap();
        let text = "ports=22 bandwidth=1024 concurrency=4";
        assert_eq!(constraints.to_string(), text);
        for (word, seconds) in [("30s", 30), ("10m", 600), ("10min", 600), ("2d", 172_800)] {
            let time = read_time(word).ok();
            assert_eq!(time, Some(Duration::from_secs(seconds)), "{word}");
        }
    }

    #[test]
    fn what_is_none_of_it_is_named() {
        for word in [
            "",
            "5",
            "s",
            "-3s",
            "5x",
            "99999999999d",
            "1e3s",
            "\u{e9}m",
            "m",
        ] {
            assert!(read_time(word).is_err(), "{word}");
        }
        for word in ["ports", "ports=", "ports=0", "ports=9-8", "ports=1-65536"] {
            assert!(read_constraints(&[word]).is_err(), "{word}");
        }
        for word in [
            "bandwidth=0",
            "concurrency=0",
            "concurrency=-1",
            "speed=3",
            "",
        ] {
            assert!(read_constraints(&[word]).is_err(), "{word}");
        }
        let twice = read_constraints(&["ports=1", "ports=2"]).err().unwrap();
        assert!(twice.to_string().contains("second time"));
        assert!(read_capabilities("NET,").is_err() && read_subject("bob").is_err());
    }
}
