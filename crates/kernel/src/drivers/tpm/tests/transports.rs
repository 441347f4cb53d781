//! Each misbehaviour of a device, and what it ends in.

use super::crb_model::{self, CrbModel};
use super::tis_model::{self, TisModel};
use super::{command, echo, run};
use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFault, TpmPort};
use crate::drivers::tpm::crb::Crb;
use crate::drivers::tpm::exchange::FAULTS_IN_A_ROW_MAX;
use crate::drivers::tpm::tis::Tis;
use crate::drivers::tpm::{REGISTERS_ADDRESS, REGISTERS_BYTES};

const START: Instant = Instant::from_nanos(1_000_000_000);
/// Longer than any timeout of a short command with all its phases.
const PATIENCE: Duration = Duration::from_millis(8_000);

fn tis() -> (TisModel, Tis<TisModel>) {
    let model = TisModel::new(tis_model::Lie::None, 1);
    let port = Tis::new(model.clone()).unwrap();
    (model, port)
}

fn crb() -> (CrbModel, Crb<CrbModel>) {
    let model = CrbModel::new(crb_model::Lie::None, 1);
    let port = Crb::new(model.clone(), REGISTERS_ADDRESS).unwrap();
    (model, port)
}

#[test]
fn commands_of_every_length_arrive_whole_and_so_do_answers() {
    let ((tis_model, mut tis), (crb_model, mut crb)) = (tis(), crb());
    for bytes in (10..140).chain([1000, 1900]) {
        let command = command(bytes);
        let answer = run(&mut tis, &tis_model, START, &command).result;
        assert_eq!(answer, Ok(echo(&command)), "{bytes}");
        assert!(tis_model.is_released());
        let answer = run(&mut crb, &crb_model, START, &command).result;
        assert_eq!(answer, Ok(echo(&command)), "{bytes}");
        assert!(crb_model.is_released());
    }
    assert_eq!((tis.facts().vendor_id, tis.facts().device_id), (0x1014, 1));
    assert_eq!(
        (crb.facts().vendor_id, crb.facts().revision),
        (0x1014, 0x11)
    );
}

#[test]
fn a_fifo_that_misbehaves_is_named_and_the_next_command_goes_through() {
    use tis_model::Lie;
    let waiting = |waited_for| TpmFault::TimedOut { waited_for };
    let not_ready = |waited_for| TpmFault::NotReady { waited_for };
    let nonsense = |name, value| TpmFault::Nonsense { name, value };
    let length = "the answer's length";
    let cases = [
        (Lie::NoLocality, not_ready("locality")),
        (Lie::NeverReady, not_ready("readiness")),
        (Lie::NoRoom, waiting("room for a command")),
        (
            Lie::NeverExpects,
            nonsense("expect before the last byte", 0x80),
        ),
        (
            Lie::AlwaysExpects,
            nonsense("expect behind the last byte", 0x88),
        ),
        (Lie::NeverAnswers, waiting("answer")),
        (Lie::Aborts, TpmFault::Aborted),
        (Lie::Short(9), TpmFault::TooShort { bytes: 25 }),
        (
            Lie::Declares(u32::MAX),
            TpmFault::TooLong { bytes: 0xffff_ffff },
        ),
        (Lie::Declares(5000), TpmFault::TooLong { bytes: 5000 }),
        (Lie::Declares(9), nonsense(length, 9)),
        (Lie::Declares(0), nonsense(length, 0)),
        (Lie::Declares(60), TpmFault::TooShort { bytes: 50 }),
        (Lie::Declares(49), TpmFault::TooLong { bytes: 50 }),
        (Lie::HasMore, TpmFault::TooLong { bytes: 51 }),
        (Lie::NeverValid, waiting("room for a command")),
    ];
    for (lie, fault) in cases {
        let (model, mut port) = tis();
        model.set_lie(lie);
        let lying = run(&mut port, &model, START, &command(40));
        assert_eq!(lying.result, Err(fault), "{lie:?}");
        assert!(lying.took <= PATIENCE && model.is_released(), "{lie:?}");
        model.set_lie(Lie::None);
        let honest = run(&mut port, &model, START + PATIENCE, &command(40));
        assert_eq!(honest.result, Ok(echo(&command(40))), "{lie:?}");
        assert_eq!(port.facts().faults, 1);
    }
}

#[test]
fn an_answer_that_is_short_once_is_asked_for_again() {
    let (model, mut port) = tis();
    model.set_lie(tis_model::Lie::Short(1));
    let answer = run(&mut port, &model, START, &command(40)).result;
    assert_eq!(answer, Ok(echo(&command(40))));
}

#[test]
fn a_buffer_that_misbehaves_is_named_and_the_next_command_goes_through() {
    use crb_model::Lie;
    let end = REGISTERS_ADDRESS + REGISTERS_BYTES as u64;
    let nonsense = |name, value| TpmFault::Nonsense { name, value };
    let buffer = |address| nonsense("the address of a buffer", address);
    let answer = TpmFault::TimedOut {
        waited_for: "answer",
    };
    let not_ready = |waited_for| TpmFault::NotReady { waited_for };
    let length = "the answer's length";
    let cases = [
        (Lie::NoLocality, not_ready("locality")),
        (Lie::NeverReady, not_ready("readiness")),
        (Lie::Broken, nonsense("the device's status", 1)),
        (Lie::NeverAnswers, answer),
        (Lie::GivesUp, answer),
        (Lie::Buffers(0, 4096), buffer(0)),
        (Lie::Buffers(u64::MAX, 16), TpmFault::Gone),
        (Lie::Buffers(u64::MAX - 1, 16), buffer(u64::MAX - 1)),
        (Lie::Buffers(end - 16, 17), buffer(end - 16)),
        (Lie::Buffers(end - 16, u32::MAX), buffer(end - 16)),
        (
            Lie::Buffers(REGISTERS_ADDRESS, 64),
            buffer(REGISTERS_ADDRESS),
        ),
        (
            Lie::Buffers(end - 16, 16),
            TpmFault::BadCommand { bytes: 40 },
        ),
        (Lie::Buffers(end - 45, 45), nonsense(length, 0)),
        (
            Lie::Declares(u32::MAX),
            TpmFault::TooLong { bytes: 0xffff_ffff },
        ),
        (Lie::Declares(3969), TpmFault::TooLong { bytes: 3969 }),
        (Lie::Declares(9), nonsense(length, 9)),
    ];
    for (lie, fault) in cases {
        let (model, mut port) = crb();
        model.set_lie(lie);
        let lying = run(&mut port, &model, START, &command(40));
        assert_eq!(lying.result, Err(fault), "{lie:?}");
        assert!(lying.took <= PATIENCE && model.is_released(), "{lie:?}");
        model.set_lie(Lie::None);
        let honest = run(&mut port, &model, START + PATIENCE, &command(40));
        assert_eq!(honest.result, Ok(echo(&command(40))), "{lie:?}");
    }
}

#[test]
fn a_buffer_that_does_not_become_idle_has_answered_all_the_same() {
    let (model, mut port) = crb();
    model.set_lie(crb_model::Lie::NeverIdle);
    let answer = run(&mut port, &model, START, &command(40)).result;
    assert_eq!(answer, Ok(echo(&command(40))));
}

#[test]
fn a_device_that_vanishes_is_gone_at_every_moment() {
    let is_possible = |result: &Result<_, TpmFault>| match result {
        Ok(answer) => *answer == echo(&command(40)),
        Err(fault) => *fault != TpmFault::Busy,
    };
    for after in 2..200 {
        let ((tis_model, mut tis), (crb_model, mut crb)) = (tis(), crb());
        tis_model.set_lie(tis_model::Lie::Vanishes(after));
        crb_model.set_lie(crb_model::Lie::Vanishes(after));
        // Two commands are more than 200 accesses.
        for is_last in [false, false, true] {
            for answer in [
                run(&mut tis, &tis_model, START, &command(40)).result,
                run(&mut crb, &crb_model, START, &command(40)).result,
            ] {
                assert!(is_possible(&answer), "{after}: {answer:?}");
                assert!(
                    !is_last || answer == Err(TpmFault::Gone),
                    "{after}: {answer:?}"
                );
            }
        }
    }
}

#[test]
fn a_device_that_only_fails_is_left_alone_and_one_good_answer_saves_it() {
    let (model, mut port) = tis();
    for _ in 0..FAULTS_IN_A_ROW_MAX - 1 {
        model.set_lie(tis_model::Lie::NoRoom);
        run(&mut port, &model, START, &command(12));
    }
    model.set_lie(tis_model::Lie::None);
    assert!(run(&mut port, &model, START, &command(12)).result.is_ok());
    model.set_lie(tis_model::Lie::NoRoom);
    for _ in 0..FAULTS_IN_A_ROW_MAX {
        assert!(!port.facts().is_gone);
        run(&mut port, &model, START, &command(12));
    }
    assert!(port.facts().is_gone);
    model.set_lie(tis_model::Lie::None);
    let answer = run(&mut port, &model, START, &command(12)).result;
    assert_eq!(answer, Err(TpmFault::Gone));
}

#[test]
fn what_is_no_command_is_refused_and_a_second_one_waits() {
    let (_, mut port) = tis();
    for bytes in [0, 9, 3969] {
        let refused = port.send(START, &std::vec![0; bytes]);
        assert_eq!(refused, Err(TpmFault::BadCommand { bytes }));
    }
    port.send(START, &command(12)).unwrap();
    assert_eq!(port.send(START, &command(12)), Err(TpmFault::Busy));
    assert_eq!(
        TpmFault::Busy,
        crb()
            .1
            .send(START, &[])
            .map_or(TpmFault::Busy, |()| TpmFault::Gone)
    );
}

#[test]
fn nothing_to_do_touches_no_register() {
    use super::Model;
    let (model, mut port) = tis();
    model.take_accesses();
    assert!(port.poll(START, &mut [0; 64]).is_none());
    assert_eq!(
        (model.take_accesses(), port.next_deadline(START)),
        (0, None)
    );
    model.set_lie(tis_model::Lie::NeverAnswers);
    port.send(START, &command(12)).unwrap();
    let mut now = START;
    while port.poll(now, &mut [0; 64]).is_none() && now < START + Duration::from_millis(100) {
        now = port.next_deadline(now).unwrap();
        model.set_now(now);
    }
    model.take_accesses();
    // It waits for the answer: asked too early, it does not ask the device.
    assert!(port.poll(now, &mut [0; 64]).is_none());
    assert!(model.take_accesses() <= 2);
    assert!(port.poll(now, &mut [0; 64]).is_none());
    assert_eq!(model.take_accesses(), 0);
}

#[test]
fn an_absent_device_is_not_opened() {
    let model = TisModel::new(tis_model::Lie::Vanishes(0), 1);
    assert!(Tis::new(model).is_none());
    let model = CrbModel::new(crb_model::Lie::Vanishes(0), 1);
    assert!(Crb::new(model, REGISTERS_ADDRESS).is_none());
}
