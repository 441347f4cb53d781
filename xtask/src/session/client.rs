//! The client of the framed shell: what `exec` and the tests use.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use super::failure::Failure;
use super::framing::{Decoder, Event};
use super::line::{Line, Received};
use crate::deadline::Deadline;
use crate::qemu::{Boot, Ending, Machine, Shape};

/// Long enough for a busy machine under emulation; a healthy kernel needs a hundredth of it.
const DIRECT_BOOT_WITHIN: Duration = Duration::from_secs(60);
const IMAGE_BOOT_WITHIN: Duration = Duration::from_secs(180);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What the shell said to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub output: String,
    /// Whether every command of the line succeeded.
    pub ok: bool,
}

/// A kernel that takes lines. Its machine ends with it.
#[derive(Debug)]
pub struct Session {
    line: Line,
    decoder: Decoder,
    events: VecDeque<Event>,
    is_ready: bool,
    /// What ended the conversation; said again to whoever asks on.
    failure: Option<Failure>,
}

impl Session {
    /// Boots a machine and waits until its shell takes a line.
    pub fn boot(shape: &Shape) -> Result<Session, Failure> {
        let within = if shape.boot == Boot::Pvh {
            DIRECT_BOOT_WITHIN
        } else {
            IMAGE_BOOT_WITHIN
        };
        Session::boot_within(shape, within)
    }

    pub fn boot_within(shape: &Shape, within: Duration) -> Result<Session, Failure> {
        let mut session = Session::start(shape, within)?;
        // Not since this call: building the kernel may have taken minutes.
        let elapsed = session
            .machine()
            .map_or(Duration::ZERO, |machine| machine.started().elapsed());
        session.wait_until_ready(within.saturating_sub(elapsed))?;
        Ok(session)
    }

    /// Starts a machine without waiting for its shell, for callers that want the serial log of a failing boot too.
    /// A shape that names no `shell=` gets the framed one.
    pub fn start(shape: &Shape, within: Duration) -> Result<Session, Failure> {
        let shape = if shape.has_setting("shell") {
            shape.clone()
        } else {
            shape.clone().setting("shell=framed")
        };
        Line::boot(&shape, within).map(Session::over)
    }

    /// A conversation over a line whose other end may not be ready yet.
    pub fn over(line: Line) -> Session {
        Session {
            line,
            decoder: Decoder::default(),
            events: VecDeque::new(),
            is_ready: false,
            failure: None,
        }
    }

    /// Waits until the shell takes a line.
    pub fn wait_until_ready(&mut self, within: Duration) -> Result<(), Failure> {
        self.expect_ready(Deadline::after(within), within)
    }

    /// Sends one line and waits for its answer.
    pub fn run(&mut self, line: &str) -> Result<Answer, Failure> {
        self.run_within(line, ANSWER_WITHIN)
    }

    pub fn run_within(&mut self, line: &str, within: Duration) -> Result<Answer, Failure> {
        if line.contains(['\n', '\r']) {
            return Err(Failure::Unusable(
                "a line for the shell cannot contain a line break".to_string(),
            ));
        }
        let deadline = Deadline::after(within);
        self.expect_ready(deadline, within)?;
        self.is_ready = false;
        self.line
            .send(format!("{line}\n").as_bytes(), deadline)
            .map_err(|failure| self.end(failure))?;
        loop {
            match self.next_event(deadline, &format!("answer to \"{line}\""), within)? {
                Event::Answer { output, ok } => return Ok(Answer { output, ok }),
                // A kernel that asks for a line instead of answering has lost this one.
                Event::Ready => {
                    return Err(self.end(Failure::Garbled(
                        "it asks for a line instead of answering".into(),
                    )));
                }
                Event::Panic { .. } | Event::Violation(_) => {}
            }
        }
    }

    /// Waits until the machine has ended, and says how. A panic on the way is a failure.
    pub fn wait_for_end(&mut self, within: Duration) -> Result<Ending, Failure> {
        let deadline = Deadline::after(within);
        loop {
            match self.next_event(deadline, "end of the machine", within) {
                Ok(_) => {}
                Err(Failure::Ended(ending)) => return Ok(ending),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// What the kernel said outside answers so far.
    pub fn boot_log(&self) -> String {
        self.decoder.log()
    }

    /// The file with every byte that came.
    pub fn serial_log(&self) -> &Path {
        self.line.log_path()
    }

    /// The machine at the other end, to look at its screen or press its keys.
    pub fn machine(&mut self) -> Option<&mut Machine> {
        self.line.machine()
    }

    fn expect_ready(&mut self, deadline: Deadline, within: Duration) -> Result<(), Failure> {
        while !self.is_ready {
            match self.next_event(deadline, "prompt", within)? {
                Event::Ready => self.is_ready = true,
                Event::Answer { .. } => {
                    return Err(self.end(Failure::Garbled("it answers what nobody asked".into())));
                }
                Event::Panic { .. } | Event::Violation(_) => {}
            }
        }
        Ok(())
    }

    /// The next event that is not the end of the conversation; the end comes back as a failure, again and again.
    fn next_event(
        &mut self,
        deadline: Deadline,
        waiting_for: &str,
        within: Duration,
    ) -> Result<Event, Failure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        loop {
            match self.events.pop_front() {
                Some(Event::Panic { report }) => {
                    return Err(self.end(Failure::Panicked {
                        report,
                        is_complete: true,
                    }));
                }
                Some(Event::Violation(what)) => return Err(self.end(Failure::Garbled(what))),
                Some(event) => return Ok(event),
                None => {}
            }
            match self.line.receive(deadline)? {
                Received::Bytes(bytes) => {
                    self.events
                        .extend(bytes.into_iter().filter_map(|byte| self.decoder.push(byte)));
                }
                received => {
                    let failure = match (self.decoder.unfinished_report(), received) {
                        (Some(report), _) => Failure::Panicked {
                            report,
                            is_complete: false,
                        },
                        (None, Received::End) => Failure::Ended(self.line.ending()),
                        (None, _) => Failure::TimedOut {
                            waiting_for: waiting_for.to_string(),
                            after: within,
                        },
                    };
                    return Err(self.end(failure));
                }
            }
        }
    }

    /// Remembers what ended the conversation. After a time-out the kernel's late answer would be taken for the next
    /// one's, so a time-out ends it too.
    fn end(&mut self, failure: Failure) -> Failure {
        self.failure.get_or_insert(failure).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;
    use std::thread::JoinHandle;

    const PATIENCE: Duration = Duration::from_secs(20);
    const IMPATIENCE: Duration = Duration::from_millis(50);

    /// A peer that says `greeting`, and then for each line that comes the next of `answers`; returns the lines.
    fn peer(
        greeting: &'static [u8],
        answers: &'static [&'static [u8]],
        chunk: usize,
    ) -> (Session, JoinHandle<Vec<String>>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || {
            let say = |bytes: &[u8]| {
                bytes
                    .chunks(chunk)
                    .for_each(|part| (&theirs).write_all(part).unwrap())
            };
            say(greeting);
            let mut lines = BufReader::new(&theirs).lines();
            let mut heard = Vec::new();
            for answer in answers {
                heard.push(lines.next().unwrap().unwrap());
                say(answer);
            }
            heard
        });
        (Session::over(Line::over(ours).unwrap()), thread)
    }

    fn expected(output: &str, ok: bool) -> Answer {
        Answer {
            output: output.to_string(),
            ok,
        }
    }

    #[test]
    fn answers_come_back_however_the_bytes_are_cut() {
        for chunk in [1, 2, 3, 1000] {
            let (mut session, thread) = peer(
                b"boot\n\x05",
                &[b"\x02RayOS\n\x030\x05", b"\x02no such command\n\x031"],
                chunk,
            );
            assert_eq!(
                session.run_within("version", PATIENCE).unwrap(),
                expected("RayOS\n", true)
            );
            assert_eq!(
                session.run_within("nonsense", PATIENCE).unwrap(),
                expected("no such command\n", false)
            );
            assert_eq!(session.boot_log(), "boot\n");
            assert_eq!(thread.join().unwrap(), ["version", "nonsense"]);
        }
    }

    #[test]
    fn a_panic_in_the_middle_of_an_answer_is_told_with_its_report() {
        for chunk in [1, 1000] {
            let (mut session, _thread) = peer(b"\x05", &[b"\x02half\x18panic: why\n\x04"], chunk);
            let failure = session.run_within("debug panic", PATIENCE).unwrap_err();
            assert_eq!(
                failure,
                Failure::Panicked {
                    report: "panic: why\n".to_string(),
                    is_complete: true
                }
            );
            assert_eq!(
                session.run_within("version", PATIENCE).unwrap_err(),
                failure,
                "it is said again"
            );
        }
    }

    #[test]
    fn a_peer_that_dies_in_its_panic_still_leaves_what_it_said() {
        let (mut session, _thread) = peer(b"\x05", &[b"\x18panic: wh"], 1000);
        let failure = session.run_within("debug panic", PATIENCE).unwrap_err();
        assert_eq!(
            failure,
            Failure::Panicked {
                report: "panic: wh".to_string(),
                is_complete: false
            }
        );
        assert_eq!(failure.outcome(), crate::outcome::Outcome::Crashed);
    }

    #[test]
    fn a_peer_that_dies_is_an_end_and_not_a_time_out() {
        let (mut session, _thread) = peer(b"\x05", &[b"\x02half an ans"], 1000);
        assert!(matches!(
            session.run_within("version", PATIENCE),
            Err(Failure::Ended(_))
        ));
    }

    #[test]
    fn a_peer_that_was_never_ready_is_an_end_too() {
        let (mut session, _thread) = peer(b"boot", &[], 1000);
        assert!(matches!(
            session.run_within("version", PATIENCE),
            Err(Failure::Ended(_))
        ));
    }

    #[test]
    fn a_silent_peer_costs_the_time_it_was_given() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut session = Session::over(Line::over(ours).unwrap());
        let failure = session.run_within("version", IMPATIENCE).unwrap_err();
        assert_eq!(failure.to_string(), "no prompt within 0.1 s");
        assert_eq!(failure.outcome(), crate::outcome::Outcome::TimedOut);
    }

    #[test]
    fn an_answer_after_its_time_is_not_taken_for_the_next_one() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut session = Session::over(Line::over(ours).unwrap());
        theirs.write_all(b"\x05").unwrap();
        assert!(matches!(
            session.run_within("slow", IMPATIENCE),
            Err(Failure::TimedOut { .. })
        ));
        theirs.write_all(b"\x02late\n\x030\x05").unwrap();
        assert!(matches!(
            session.run_within("version", PATIENCE),
            Err(Failure::TimedOut { .. })
        ));
    }

    #[test]
    fn a_line_break_cannot_smuggle_a_second_command() {
        let (mut session, _thread) = peer(b"\x05", &[], 1000);
        assert!(matches!(
            session.run_within("version\nreboot", PATIENCE),
            Err(Failure::Unusable(_))
        ));
    }

    #[test]
    fn a_broken_protocol_is_named() {
        let (mut session, _thread) = peer(b"\x05", &[b"\x05"], 1000);
        assert!(matches!(
            session.run_within("version", PATIENCE),
            Err(Failure::Garbled(_))
        ));
        let (mut session, _thread) = peer(b"\x02\x037", &[], 1000);
        assert!(matches!(
            session.run_within("version", PATIENCE),
            Err(Failure::Garbled(_))
        ));
    }

    #[test]
    fn every_byte_is_kept_in_the_log_file() {
        let (mut session, _thread) = peer(b"boot\n\x05", &[b"\x02a\n\x030"], 1000);
        session.run_within("x", PATIENCE).unwrap();
        assert_eq!(
            std::fs::read(session.serial_log()).unwrap(),
            b"boot\n\x05\x02a\n\x030"
        );
    }

    #[test]
    fn waiting_for_the_end_passes_over_what_still_comes() {
        let (mut session, thread) = peer(b"\x05", &[b"\x02\x030", b"bye\n"], 1000);
        assert!(session.run_within("poweroff", PATIENCE).unwrap().ok);
        session.line.send(b"\n", Deadline::after(PATIENCE)).unwrap();
        assert!(session.wait_for_end(PATIENCE).is_ok());
        assert_eq!(session.boot_log(), "bye\n");
        thread.join().unwrap();
    }
}
