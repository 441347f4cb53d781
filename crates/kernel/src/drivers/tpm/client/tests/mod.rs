//! The client against what an swtpm has said, honestly and mutated.

mod canned;
mod promises;
mod replay;
mod storm;

use super::*;
use crate::base::token::Secret;
use crate::drivers::tpm::codec::bank::BankDigests;
use crate::limits::TPM_NV_BYTES;
use canned::Canned;
use std::vec::Vec;

pub const INDEX: u32 = 0x0180_5250;
/// With this seed the recording was made.
pub const SEED: Digest = [7; 32];

/// What the recording's client was asked for, in its order.
pub fn recorded_jobs() -> Vec<Job> {
    let owner = Secret::parse_foreign("hunter2").ok();
    let store = |owner: &Option<Secret>, data| Job::NvStore {
        index: INDEX,
        owner: owner.clone(),
        data,
    };
    let mut first = [0x5a; TPM_NV_BYTES];
    first[0] = 1;
    let wrong = Secret::parse_foreign("wrong").ok();
    std::vec![
        Job::ReadPcrs,
        extend(8, b"abc"),
        extend(8, b"def"),
        Job::Random { bytes: 32 },
        Job::ReadPcrs,
        quote(&[0xaa; 20]),
        Job::NvLoad { index: INDEX },
        store(&owner, first),
        Job::NvLoad { index: INDEX },
        store(&owner, [9; TPM_NV_BYTES]),
        Job::NvLoad { index: INDEX },
        store(&wrong, [1; TPM_NV_BYTES]),
        Job::NvRemove {
            index: INDEX,
            owner
        },
        Job::NvLoad { index: INDEX },
        quote(&[0xbb; 64]),
        extend(30, b""),
    ]
}

pub fn quote(nonce: &[u8]) -> Job {
    let mut kept = Nonce::new();
    kept.extend_from_slice(nonce).unwrap();
    Job::Quote { nonce: kept }
}

/// The digest of the text in each bank, padded or cut.
pub fn extend(pcr: u32, text: &[u8]) -> Job {
    let digest = crate::base::digest::sha256(&[text]);
    let mut longest = [0; 64];
    longest[..32].copy_from_slice(&digest);
    let digests = BankDigests {
        sha1: digest.first_chunk().copied(),
        sha256: Some(digest),
        sha384: longest.first_chunk().copied(),
        sha512: Some(longest),
    };
    Job::Extend { pcr, digests }
}

/// How one job ended, and when.
pub struct Ended {
    pub result: Result<Answer, TpmError>,
    pub at: Instant,
}

/// Steps as the kernel does until the job is answered; never for ever.
pub fn finish(client: &mut Client, port: &mut dyn TpmPort, from: Instant, id: JobId) -> Ended {
    const STEPS_MAX: usize = 5_000;
    let mut now = from;
    for _ in 0..STEPS_MAX {
        client.step(now, Some(port));
        if let Some((done, result)) = client.take_done() {
            assert_eq!(done, id);
            return Ended { result, at: now };
        }
        let next = client.next_deadline(now).expect("a deadline");
        now = next.max(now + Duration::from_nanos(1));
    }
    panic!("a job that is never answered");
}

/// Asks for a job and waits for its answer.
pub fn ask(client: &mut Client, port: &mut dyn TpmPort, now: Instant, job: Job) -> Ended {
    let id = client.request(job).unwrap();
    finish(client, port, now, id)
}

/// The answer alone, from an honest port.
pub fn answer(client: &mut Client, port: &mut Canned, job: Job) -> Result<Answer, TpmError> {
    ask(client, port, Instant::ZERO, job).result
}
