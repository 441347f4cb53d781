//! What the client promises when the TPM or the world is not as it should be.

use super::canned::Canned;
use super::*;
use crate::drivers::tpm::client::verdict::RETRIES_MAX;
use crate::drivers::tpm::codec::bank::Bank;
use crate::drivers::tpm::codec::codes::CommandCode as Code;
use crate::drivers::tpm::codec::response_code::ResponseCode;
use std::boxed::Box;
use std::cell::Cell;
use std::format;

fn is(command: &[u8], code: Code) -> bool {
    command[6..10] == code.number().to_be_bytes()
}

fn refusal(code: u32) -> Vec<u8> {
    let mut bytes = std::vec![0x80, 1, 0, 0, 0, 10];
    bytes.extend(code.to_be_bytes());
    bytes
}

/// Answers of this kind become a refusal.
fn refusing<'a>(kind: Code, code: u32) -> Canned<'a> {
    Canned::changed(Box::new(move |command, answer| {
        Ok(match is(command, kind) {
            true => refusal(code),
            false => answer,
        })
    }))
}

fn honest<'a>() -> Canned<'a> {
    Canned::changed(Box::new(|_, answer| Ok(answer)))
}

fn store() -> Job {
    Job::NvStore {
        index: INDEX,
        owner: Secret::parse_foreign("hunter2").ok(),
        data: [0x5a; TPM_NV_BYTES],
    }
}

#[test]
fn without_a_tpm_every_job_is_answered() {
    let mut client = Client::new(SEED);
    let ids = [Job::ReadPcrs, Job::ReadPcrs].map(|job| client.request(job).unwrap());
    assert!(client.take_done().is_none(), "nobody has looked yet");
    client.step(Instant::ZERO, None);
    for id in ids {
        assert_eq!(client.take_done(), Some((id, Err(TpmError::Absent))));
    }
    assert!(client.take_done().is_none());
    assert_eq!(client.next_deadline(Instant::ZERO), None);
}

#[test]
fn a_tpm_that_is_taken_away_answers_what_was_under_way() {
    let (mut client, mut port) = (Client::new(SEED), honest());
    assert!(answer(&mut client, &mut port, Job::ReadPcrs).is_ok());
    let ids = [Job::ReadPcrs, Job::ReadPcrs].map(|job| client.request(job).unwrap());
    client.step(Instant::ZERO, Some(&mut port));
    client.step(Instant::ZERO, None);
    let gone = Err(TpmError::Fault(TpmFault::Gone));
    assert_eq!(client.take_done(), Some((ids[0], gone)));
    assert_eq!(client.take_done(), Some((ids[1], Err(TpmError::Absent))));
    assert_eq!(client.view().state, ClientState::Absent);
}

#[test]
fn a_job_too_many_is_refused_and_counted() {
    let mut client = Client::new(SEED);
    for _ in 0..TPM_JOBS_MAX {
        client.request(Job::ReadPcrs).unwrap();
    }
    assert_eq!(client.request(Job::ReadPcrs), Err(Full));
    let usage = client.usage();
    assert_eq!(
        (usage.used, usage.refused),
        (Some(TPM_JOBS_MAX as u64), Some(1))
    );
}

#[test]
fn a_tpm_that_firmware_has_started_is_as_good() {
    let (mut client, mut port) = (Client::new(SEED), refusing(Code::Startup, 0x100));
    assert!(answer(&mut client, &mut port, Job::ReadPcrs).is_ok());
}

#[test]
fn a_guarded_endorsement_hierarchy_is_not_called_a_wrong_owner() {
    let mut port = refusing(Code::CreatePrimary, 0x9a2);
    let mut client = Client::new(SEED);
    let refused = answer(&mut client, &mut port, quote(b"n")).unwrap_err();
    let sentence = format!("{refused}");
    assert!(sentence.contains("endorsement") && !sentence.contains("owner"));
}

#[test]
fn a_self_test_that_goes_on_is_not_begun_anew() {
    let (mut client, mut port) = (Client::new(SEED), refusing(Code::SelfTest, 0x90a));
    assert!(answer(&mut client, &mut port, Job::ReadPcrs).is_ok());
    assert_eq!(client.view().counters.retries, 0);
}

#[test]
fn a_busy_tpm_is_asked_again_but_not_for_ever() {
    for code in [0x922, 0x908, 0x90a, 0x920] {
        let times = Cell::new(0);
        let mut port = Canned::changed(Box::new(|command, answer| {
            let is_busy = is(command, Code::PcrRead) && times.replace(times.get() + 1) % 3 != 2;
            Ok(if is_busy { refusal(code) } else { answer })
        }));
        let mut client = Client::new(SEED);
        assert!(
            answer(&mut client, &mut port, Job::ReadPcrs).is_ok(),
            "{code:#x}"
        );
        let (mut client, mut port) = (Client::new(SEED), refusing(Code::PcrRead, code));
        let command = Code::PcrRead;
        let code = ResponseCode(code);
        let refused = answer(&mut client, &mut port, Job::ReadPcrs);
        assert_eq!(refused, Err(TpmError::Refused { command, code }));
        assert_eq!(client.view().counters.retries, u64::from(RETRIES_MAX));
        assert_eq!(client.view().state, ClientState::Ready);
    }
}

#[test]
fn a_start_that_fails_is_tried_again_and_then_said_to_every_job() {
    let failing = Cell::new(true);
    let mut port = Canned::changed(Box::new(|_, answer| match failing.get() {
        true => Err(TpmFault::Aborted),
        false => Ok(answer),
    }));
    let mut client = Client::new(SEED);
    let failed = ask(&mut client, &mut port, Instant::ZERO, Job::ReadPcrs);
    assert_eq!(failed.result, Err(TpmError::Fault(TpmFault::Aborted)));
    assert_eq!(
        failed.at,
        Instant::ZERO + START_PAUSE + START_PAUSE + Duration::from_millis(3)
    );
    failing.set(false);
    let again = ask(&mut client, &mut port, failed.at, Job::Random { bytes: 1 });
    assert_eq!(again.result, Err(TpmError::Fault(TpmFault::Aborted)));
}

#[test]
fn a_tpm_in_failure_mode_or_one_that_was_reset_is_used_no_more() {
    for code in [0x101, 0x100] {
        let (mut client, mut port) = (Client::new(SEED), refusing(Code::PcrRead, code));
        let error = answer(&mut client, &mut port, Job::ReadPcrs).unwrap_err();
        assert_eq!(client.view().state, ClientState::Failed(error));
        let commands = port.commands.len();
        assert_eq!(answer(&mut client, &mut port, extend(8, b"x")), Err(error));
        assert_eq!(port.commands.len(), commands);
    }
}

#[test]
fn a_key_is_forgotten_however_its_quote_ended() {
    for kind in [Code::Quote, Code::PcrRead] {
        let (mut client, mut port) = (Client::new(SEED), refusing(kind, 0x12f));
        assert!(answer(&mut client, &mut port, quote(b"n")).is_err());
        assert!(is(port.commands.last().unwrap(), Code::FlushContext));
        assert!(port.commands.last().unwrap().ends_with(&[0x80, 0, 0, 0]));
    }
}

#[test]
fn pcrs_that_change_while_they_are_read_are_read_again_but_not_for_ever() {
    // The counter is the first field behind the header.
    let counter = Cell::new(0u8);
    let changing = |until: u8| {
        let counter = &counter;
        counter.set(0);
        Canned::changed(Box::new(move |command, mut answer: Vec<u8>| {
            if is(command, Code::PcrRead) {
                counter.set(counter.get().saturating_add(1));
                answer[13] = counter.get().min(until);
            }
            Ok(answer)
        }))
    };
    let mut client = Client::new(SEED);
    assert!(answer(&mut client, &mut changing(6), Job::ReadPcrs).is_ok());
    let restless = answer(&mut client, &mut changing(255), Job::ReadPcrs);
    assert_eq!(restless, Err(TpmError::Unsteady));
    assert_eq!(client.view().state, ClientState::Ready);
}

#[test]
fn an_answer_that_somebody_has_changed_is_found_out() {
    for at in [15, 16, 60, 82] {
        let mut port = Canned::strict();
        let mut client = Client::new(SEED);
        let mut jobs = recorded_jobs().into_iter();
        for job in jobs.by_ref().take(7) {
            drop(answer(&mut client, &mut port, job));
        }
        let mut changed = Canned::changed(Box::new(move |command, mut answer: Vec<u8>| {
            if is(command, Code::NvReadPublic) {
                return Ok(refusal(0x18b));
            }
            if is(command, Code::NvDefineSpace) {
                answer[at] ^= 1;
            }
            Ok(answer)
        }));
        let result = answer(&mut client, &mut changed, store());
        assert!(
            matches!(result, Err(TpmError::Forged | TpmError::Malformed(_))),
            "{at}: {result:?}"
        );
        let last = changed.commands.last().unwrap();
        assert!(is(last, Code::FlushContext), "the session stays open");
    }
}

#[test]
fn an_index_of_somebody_else_is_left_alone() {
    // The attributes stand behind header, length, index and hash.
    let mut port = Canned::changed(Box::new(|command, mut answer: Vec<u8>| {
        if is(command, Code::NvReadPublic) {
            answer[10 + 2 + 4 + 2 + 3] ^= 4;
        }
        Ok(answer)
    }));
    let mut client = Client::new(SEED);
    let foreign = Err(TpmError::Foreign { index: INDEX });
    assert_eq!(answer(&mut client, &mut port, store()), foreign);
    assert_eq!(
        answer(&mut client, &mut port, Job::NvLoad { index: INDEX }),
        foreign
    );
}

#[test]
fn a_bank_in_use_must_be_given_a_digest() {
    let (mut client, mut port) = (Client::new(SEED), honest());
    let Job::Extend { pcr, mut digests } = extend(8, b"x") else {
        panic!("another job");
    };
    digests.sha384 = None;
    let refused = answer(&mut client, &mut port, Job::Extend { pcr, digests });
    assert_eq!(refused, Err(TpmError::NoDigestFor(Bank::Sha384)));
}

#[test]
fn a_port_that_is_silent_costs_a_job_its_time_and_no_more() {
    struct Silent;
    impl TpmPort for Silent {
        fn facts(&self) -> TpmFacts {
            honest().facts()
        }
        fn send(&mut self, _: Instant, _: &[u8]) -> Result<(), TpmFault> {
            Ok(())
        }
        fn poll(&mut self, _: Instant, _: &mut [u8]) -> Option<Result<usize, TpmFault>> {
            None
        }
        fn next_deadline(&self, _: Instant) -> Option<Instant> {
            None
        }
    }
    let mut client = Client::new(SEED);
    assert!(answer(&mut client, &mut honest(), Job::ReadPcrs).is_ok());
    let late = ask(&mut client, &mut Silent, Instant::ZERO, Job::ReadPcrs);
    assert_eq!(late.result, Err(TpmError::Late));
    assert_eq!(late.at, Instant::ZERO + Job::ReadPcrs.duration_max());
    let next = ask(&mut client, &mut Silent, late.at, Job::ReadPcrs);
    assert_eq!(
        (next.result, next.at),
        (Err(TpmError::Late), late.at + GRACE)
    );
}

#[test]
fn no_secret_is_in_a_command_or_in_what_debug_shows() {
    let (mut client, mut port) = (Client::new(SEED), honest());
    assert!(!std::format!("{:?}", store()).contains("hunter2"));
    drop(answer(&mut client, &mut port, store()));
    for command in &port.commands {
        assert!(!command.windows(7).any(|part| part == b"hunter2"));
    }
}

#[test]
fn too_many_random_bytes_are_refused() {
    let (mut client, mut port) = (Client::new(SEED), honest());
    let refused = answer(&mut client, &mut port, Job::Random { bytes: 33 });
    assert_eq!(refused, Err(TpmError::TooManyBytes));
}
