//! The framed protocol of the serial shell, byte by byte, without any input or output of its own.
//!
//! Outside a frame there is the boot log. ENQ: the kernel takes a line. STX, output, ETX, then `0` or `1`: the answer.
//! CAN, report, EOT: a panic, which may come at any byte.

pub const ENQ: u8 = 0x05;
const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const CAN: u8 = 0x18;

/// What the bytes so far mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The kernel waits for a line.
    Ready,
    Answer {
        output: String,
        ok: bool,
    },
    /// A panic and its whole report.
    Panic {
        report: String,
    },
    /// A byte that the protocol does not allow here.
    Violation(String),
}

#[derive(Debug)]
enum State {
    Log,
    Output(Vec<u8>),
    /// The output is complete, its verdict is not there yet.
    Verdict(Vec<u8>),
    Report(Vec<u8>),
}

/// Turns bytes into events.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    log: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder {
            state: State::Log,
            log: Vec::new(),
        }
    }
}

impl Decoder {
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        if byte == CAN && !matches!(self.state, State::Report(_)) {
            self.state = State::Report(Vec::new());
            return None;
        }
        match &mut self.state {
            State::Log => match byte {
                ENQ => return Some(Event::Ready),
                STX => self.state = State::Output(Vec::new()),
                _ => self.log.push(byte),
            },
            State::Output(output) => match byte {
                ETX => self.state = State::Verdict(std::mem::take(output)),
                STX | ENQ | EOT => {
                    return Some(self.violation(format!("byte {byte:#04x} inside an answer")));
                }
                _ => output.push(byte),
            },
            State::Verdict(output) => {
                let ok = match byte {
                    b'0' => true,
                    b'1' => false,
                    _ => {
                        return Some(
                            self.violation(format!("byte {byte:#04x} as the verdict of an answer")),
                        );
                    }
                };
                let output = text(output);
                self.state = State::Log;
                return Some(Event::Answer { output, ok });
            }
            State::Report(report) => match byte {
                EOT => {
                    let report = text(report);
                    self.state = State::Log;
                    return Some(Event::Panic { report });
                }
                _ => report.push(byte),
            },
        }
        None
    }

    /// The report of a panic that has begun and is not complete.
    pub fn unfinished_report(&self) -> Option<String> {
        match &self.state {
            State::Report(report) => Some(text(report)),
            _ => None,
        }
    }

    /// Everything that came outside answers and reports.
    pub fn log(&self) -> String {
        text(&self.log)
    }

    fn violation(&mut self, what: String) -> Event {
        self.state = State::Log;
        Event::Violation(what)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(bytes: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        bytes
            .iter()
            .filter_map(|byte| decoder.push(*byte))
            .collect()
    }

    fn answer(output: &str, ok: bool) -> Event {
        Event::Answer {
            output: output.to_string(),
            ok,
        }
    }

    #[test]
    fn answers_are_apart_from_the_log_around_them() {
        let mut decoder = Decoder::default();
        let bytes = b"boot\n\x05\x02one\n\x030\x05late\n\x02\x031";
        let events: Vec<Event> = bytes
            .iter()
            .filter_map(|byte| decoder.push(*byte))
            .collect();
        assert_eq!(
            events,
            [
                Event::Ready,
                answer("one\n", true),
                Event::Ready,
                answer("", false)
            ]
        );
        assert_eq!(decoder.log(), "boot\nlate\n");
    }

    #[test]
    fn a_panic_is_seen_at_every_point_of_a_conversation() {
        let panic = Event::Panic {
            report: "panic: x\n".to_string(),
        };
        for before in [&b""[..], b"boot", b"\x02out", b"\x02out\x03"] {
            let bytes = [before, b"\x18panic: x\n\x04"].concat();
            assert_eq!(
                events(&bytes),
                std::slice::from_ref(&panic),
                "after {before:?}"
            );
        }
    }

    #[test]
    fn an_unfinished_report_can_be_read() {
        let mut decoder = Decoder::default();
        for byte in b"\x18panic: x" {
            assert_eq!(decoder.push(*byte), None);
        }
        assert_eq!(decoder.unfinished_report().as_deref(), Some("panic: x"));
    }

    #[test]
    fn a_verdict_is_zero_or_one() {
        assert!(matches!(events(b"\x02\x032")[..], [Event::Violation(_)]));
        assert!(matches!(events(b"\x02\x02")[..], [Event::Violation(_)]));
    }

    #[test]
    fn output_that_is_not_text_is_still_an_answer() {
        assert_eq!(events(b"\x02\xff\x030"), [answer("\u{fffd}", true)]);
    }
}
