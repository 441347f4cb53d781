//! Is the host's verifier right, before it judges a kernel? The evidence here is that of swtpm and tpm2-tools.

use rayos_tests::form;
use rayos_tests::tpm::{diary, stand_in, tampering};
use xtask::attest::bank::Bank;
use xtask::attest::event_log::EventLog;
use xtask::attest::evidence::Evidence;
use xtask::attest::golden::Measured;
use xtask::attest::judgement::{Judgement, Verdict};
use xtask::attest::tools;
use xtask::workspace::Scratch;

const NONCE: [u8; 32] = [0x5a; 32];

fn judge(evidence: &Evidence) -> Judgement {
    let scratch = Scratch::new().unwrap();
    let files = evidence.write(scratch.path()).unwrap();
    Judgement::of(evidence, &files, &stand_in::golden()).unwrap()
}

#[test]
fn the_evidence_of_independent_tools_holds() {
    let state = Scratch::new().unwrap();
    let (evidence, _tools) = stand_in::evidence(state.path(), None, &NONCE).unwrap();
    let judgement = judge(&evidence);
    assert!(judgement.holds(), "{judgement:?}");
}

#[test]
fn every_changed_byte_of_a_quote_is_refused() {
    let state = Scratch::new().unwrap();
    let (evidence, _tools) = stand_in::evidence(state.path(), None, &NONCE).unwrap();
    let changes = tampering::every_changed_byte_is_refused(&evidence).unwrap();
    assert!(changes > 700, "{changes}");
}

#[test]
fn four_readers_agree_on_the_registers_of_every_bank() {
    let scratch = Scratch::new().unwrap();
    let state = scratch.path().join("state");
    let diary = scratch.path().join("diary");
    let (evidence, tools) = stand_in::evidence(&state, Some(&diary), &NONCE).unwrap();
    let files = evidence.write(scratch.path()).unwrap();
    let computed = tools::replay(&files).unwrap();
    let log = EventLog::parse(&evidence.log).unwrap();
    let told = diary::read(&diary).unwrap();
    for bank in Bank::ALL {
        let registers = stand_in::registers(&tools, bank).unwrap();
        assert_eq!(log.replay(bank), registers, "{bank:?}");
        assert_eq!(told.of_bank(bank), registers, "{bank:?}");
        for (number, value) in &computed[&bank] {
            assert_eq!(registers[*number], *value, "{bank:?} {number}");
        }
    }
}

/// Is this byte of the stand-in's log one that no verifier may pass over?
///
/// Of the header, its own digest, the platform's class and the versions say nothing about a register. The kind of an
/// event of the firmware is in no digest; that is the format's weakness, and nothing is concluded from it.
fn matters(at: usize) -> bool {
    const HEADER: usize = 77;
    const SEPARATOR: usize = 192;
    match at.checked_sub(HEADER) {
        None => (0..8).contains(&at) || (28..48).contains(&at) || at >= 56,
        Some(at) if at < 8 * SEPARATOR => !(4..8).contains(&(at % SEPARATOR)),
        Some(_) => true,
    }
}

#[test]
fn a_log_with_a_changed_bit_does_not_hold() {
    let state = Scratch::new().unwrap();
    let (evidence, _tools) = stand_in::evidence(state.path(), None, &NONCE).unwrap();
    let bytes: Vec<usize> = (0..evidence.log.len()).filter(|at| matters(*at)).collect();
    let step = if form::is_long() { 1 } else { 11 };
    for at in bytes.into_iter().step_by(step) {
        let mut changed = evidence.clone();
        changed.log[at] ^= 1 << (at % 8);
        let judgement = judge(&changed);
        assert!(!judgement.holds(), "byte {at} does not matter");
    }
}

#[test]
fn what_is_not_as_built_is_named_and_the_evidence_still_holds() {
    let state = Scratch::new().unwrap();
    let (evidence, _tools) = stand_in::evidence(state.path(), None, &NONCE).unwrap();
    let scratch = Scratch::new().unwrap();
    let files = evidence.write(scratch.path()).unwrap();
    let mut golden = stand_in::golden();
    golden.0[2].measured = Measured::Text("sha256=bb bytes=7".to_string());
    let judgement = Judgement::of(&evidence, &files, &golden).unwrap();
    assert!(judgement.checks.iter().all(|check| check.problem.is_none()));
    let different: Vec<_> = judgement
        .items
        .iter()
        .filter(|item| item.verdict != Verdict::AsBuilt)
        .collect();
    assert_eq!(different.len(), 1);
    assert_eq!(different[0].name, "ramdisk");
}
