//! Transports on models of their registers, honest and lying.

mod crb_model;
mod end;
mod storm;
mod table;
mod tis_model;
mod transports;

use super::exchange::ACCESSES_A_POLL_MAX;
use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFault, TpmPort};
use std::vec::Vec;

/// A device that is only registers, with a clock and a count of accesses.
pub trait Model {
    fn set_now(&self, now: Instant);
    fn take_accesses(&self) -> usize;
}

/// What a run of one command took.
pub struct Run {
    pub result: Result<Vec<u8>, TpmFault>,
    pub took: Duration,
}

/// Sends a command and polls as the kernel does, until there is an end.
pub fn run(port: &mut dyn TpmPort, model: &dyn Model, from: Instant, command: &[u8]) -> Run {
    const POLLS_MAX: usize = 20_000;
    let mut now = from;
    let end = |now: Instant, result| Run {
        result,
        took: now.since(from),
    };
    model.set_now(now);
    model.take_accesses();
    if let Err(fault) = port.send(now, command) {
        return end(now, Err(fault));
    }
    let mut answer = [0xa5; 4096];
    for _ in 0..POLLS_MAX {
        let result = port.poll(now, &mut answer);
        assert!(model.take_accesses() <= ACCESSES_A_POLL_MAX);
        if let Some(result) = result {
            assert_eq!(port.next_deadline(now), None);
            return end(now, result.map(|bytes| answer[..bytes].to_vec()));
        }
        let next = port.next_deadline(now).expect("a deadline");
        now = next.max(now + Duration::from_nanos(1));
        model.set_now(now);
    }
    panic!("a command that never ends");
}

/// A command of some length, and what the models answer to it.
pub fn command(bytes: usize) -> Vec<u8> {
    let mut command = std::vec![0x80, 0x01];
    command.extend((bytes as u32).to_be_bytes());
    // GetRandom: a short one.
    command.extend(0x17bu32.to_be_bytes());
    let filling = (command.len()..bytes).map(|at| at as u8);
    command.extend(filling.collect::<Vec<u8>>());
    command
}

/// The command once more behind a good header, so that every byte of it counts.
pub fn echo(command: &[u8]) -> Vec<u8> {
    let mut answer = std::vec![0x80, 0x01];
    answer.extend((10 + command.len() as u32).to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(command);
    answer
}
