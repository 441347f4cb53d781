//! Ten thousand answers that are not as the TPM gave them.

use super::canned::Canned;
use super::*;
use crate::base::prng::Prng;
use std::boxed::Box;

const SEEDS: u64 = 10_000;
/// No job may take longer than its own deadline, the start's and the grace behind.
const PATIENCE: Duration = Duration::from_secs(400);

/// One answer, changed in one of the ways in which bytes can be.
fn mutate(prng: &mut Prng, mut answer: Vec<u8>) -> Vec<u8> {
    let place = |prng: &mut Prng, length: usize| prng.below(length.max(1) as u64) as usize;
    match prng.below(8) {
        0 => answer.truncate(place(prng, answer.len())),
        1 => {
            let more = place(prng, 40);
            answer.extend(core::iter::repeat_n(prng.next_u64() as u8, more));
        }
        // Longer or shorter, with a length that agrees.
        2 => {
            answer.resize(10 + place(prng, answer.len() + 20), 0xff);
            let length = (answer.len() as u32).to_be_bytes();
            answer[2..6].copy_from_slice(&length);
        }
        3 => {
            let tag = [0x8001u16, 0x8002, 0x00c4, 0x8018, prng.next_u64() as u16];
            answer[..2].copy_from_slice(&tag[place(prng, 5)].to_be_bytes());
        }
        4 => {
            let code = [
                0x922,
                0x908,
                0x101,
                0x100,
                0x18b,
                0x9a2,
                prng.next_u64() as u32,
            ];
            answer[6..10].copy_from_slice(&code[place(prng, 7)].to_be_bytes());
            if prng.one_in(2) {
                answer.truncate(10);
                answer[2..6].copy_from_slice(&10u32.to_be_bytes());
            }
        }
        5 => {
            let at = place(prng, answer.len());
            let field = (prng.next_u64() as u32).to_be_bytes();
            for (byte, value) in answer.iter_mut().skip(at).zip(field) {
                *byte = value;
            }
        }
        6 => answer.fill(0xff),
        _ => {
            for _ in 0..=prng.below(4) {
                let at = place(prng, answer.len());
                answer[at] ^= 1 << prng.below(8);
            }
        }
    }
    answer
}

#[test]
fn every_job_is_answered_whatever_the_tpm_answers() {
    let jobs = recorded_jobs();
    let (mut good, mut bad) = (0, 0);
    for seed in 0..SEEDS {
        let mut prng = Prng::new(seed);
        let job = jobs[seed as usize % jobs.len()].clone();
        let rate = 1 + prng.below(12);
        let mut answers = prng.clone();
        let mut port = Canned::changed(Box::new(|_, answer| match answers.one_in(rate) {
            true if answers.one_in(10) => Err(TpmFault::TooShort { bytes: 3 }),
            true => Ok(mutate(&mut answers, answer)),
            false => Ok(answer),
        }));
        let mut client = Client::new(SEED);
        let ended = ask(&mut client, &mut port, Instant::ZERO, job.clone());
        assert!(ended.at <= Instant::ZERO + PATIENCE, "seed {seed}");
        match ended.result {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
        // In a defined state: the next job is answered as well.
        let next = ask(&mut client, &mut port, ended.at, job);
        assert!(next.at <= ended.at + PATIENCE, "seed {seed}");
        let state = client.view().state;
        assert!(matches!(state, ClientState::Ready | ClientState::Failed(_)));
    }
    // Both happen often, or the storm was none.
    assert!(good > 1000 && bad > 1000, "{good} good, {bad} bad");
}
