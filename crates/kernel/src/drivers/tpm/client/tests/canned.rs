//! A port that answers from the recording of an swtpm.

use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFacts, TpmFault, TpmPort};
use std::collections::VecDeque;
use std::vec::Vec;

const LATENCY: Duration = Duration::from_millis(1);

/// A command and its answer.
pub type Pair = (Vec<u8>, Vec<u8>);

/// All that was said, in its order.
pub fn recording() -> Vec<Pair> {
    let lines = include_str!("swtpm.txt").lines();
    let mut lines = lines.filter(|line| !line.starts_with('#'));
    let mut pairs = Vec::new();
    while let (Some(command), Some(answer)) = (lines.next(), lines.next()) {
        let bytes = |line: &str, sign| {
            let digits = line.strip_prefix(sign).expect("a line of the other side");
            let mut bytes = std::vec![0; digits.len() / 2];
            crate::base::digest::parse_hex(digits, &mut bytes).expect("hexadecimal digits");
            bytes
        };
        pairs.push((bytes(command, "> "), bytes(answer, "< ")));
    }
    pairs
}

/// What becomes of an answer before it is given.
pub type Change<'a> = std::boxed::Box<dyn FnMut(&[u8], Vec<u8>) -> Result<Vec<u8>, TpmFault> + 'a>;

pub struct Canned<'a> {
    pairs: VecDeque<Pair>,
    /// Only the very next command is known; else every one of a known kind is.
    is_strict: bool,
    change: Change<'a>,
    pending: Option<(Instant, Result<Vec<u8>, TpmFault>)>,
    pub commands: Vec<Vec<u8>>,
}

impl<'a> Canned<'a> {
    /// Takes exactly the recorded commands, in their order.
    pub fn strict() -> Self {
        Self {
            is_strict: true,
            ..Self::changed(std::boxed::Box::new(|_, answer| Ok(answer)))
        }
    }

    /// Answers by kind, and changes the answers.
    pub fn changed(change: Change<'a>) -> Self {
        Self {
            pairs: recording().into(),
            is_strict: false,
            change,
            pending: None,
            commands: Vec::new(),
        }
    }

    pub fn is_over(&self) -> bool {
        self.pairs.is_empty()
    }

    fn known(&mut self, command: &[u8]) -> Vec<u8> {
        if self.is_strict {
            let (expected, answer) = self.pairs.pop_front().expect("one more command");
            assert_eq!(command, expected, "command {}", self.commands.len());
            return answer;
        }
        let is_good = |answer: &[u8]| answer[6..10] == [0; 4];
        let same = self
            .pairs
            .iter()
            .find(|(own, answer)| own == command && is_good(answer));
        let kind = |own: &[u8]| own.get(6..10) == command.get(6..10);
        let alike = || {
            self.pairs
                .iter()
                .find(|(own, answer)| kind(own) && is_good(answer))
        };
        let pair = same.or_else(alike);
        let no_such_command = || std::vec![0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x43];
        pair.map_or_else(no_such_command, |(_, answer)| answer.clone())
    }
}

impl TpmPort for Canned<'_> {
    fn facts(&self) -> TpmFacts {
        TpmFacts {
            interface: "canned",
            vendor_id: 0,
            device_id: 0,
            revision: 0,
            is_gone: false,
            faults: 0,
        }
    }

    fn send(&mut self, now: Instant, command: &[u8]) -> Result<(), TpmFault> {
        if self.pending.is_some() {
            return Err(TpmFault::Busy);
        }
        let answer = self.known(command);
        self.commands.push(command.to_vec());
        self.pending = Some((now + LATENCY, (self.change)(command, answer)));
        Ok(())
    }

    fn poll(&mut self, now: Instant, answer: &mut [u8]) -> Option<Result<usize, TpmFault>> {
        let (_, result) = self.pending.take_if(|(at, _)| *at <= now)?;
        Some(result.map(|bytes| {
            let length = bytes.len().min(answer.len());
            answer[..length].copy_from_slice(&bytes[..length]);
            length
        }))
    }

    fn next_deadline(&self, _: Instant) -> Option<Instant> {
        self.pending.as_ref().map(|(at, _)| *at)
    }
}
