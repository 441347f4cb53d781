//! What schedulers promise, shown by the comparison that `io bench` makes.

use super::*;
use crate::base::operation::Operations;
use crate::storage::io::bench::workload::SHARES;

fn outcome(policy: Policy, workload: Workload, kind: ModelKind) -> Outcome {
    let mut round = Round::boxed(Setting {
        policy,
        workload,
        kind,
    });
    while !round.is_over() {
        round.event();
    }
    round.outcome()
}

fn hdd(policy: Policy, workload: Workload) -> Outcome {
    outcome(policy, workload, ModelKind::Hdd)
}

fn per_s(outcome: &Outcome) -> f64 {
    outcome.requests as f64 / (outcome.took.as_nanos() as f64 / 1e9)
}

#[test]
fn sweeps_are_twice_as_fast_as_arrival_order_on_a_hard_disk() {
    let fcfs = per_s(&hdd(Policy::Fcfs, Workload::Random));
    for policy in [Policy::Look, Policy::CLook] {
        let sweep = per_s(&hdd(policy, Workload::Random));
        let ratio = sweep / fcfs;
        assert!(
            ratio >= 2.0,
            "{}: {sweep} to {fcfs}: {ratio}",
            policy.name()
        );
    }
}

#[test]
fn deadline_holds_its_expiry_under_a_flood_of_writes() {
    for kind in ModelKind::ALL {
        let deadline = outcome(Policy::Deadline, Workload::Flood, kind);
        let p99 = deadline.p99.expect("reads were timed");
        assert!(p99 <= Duration::from_millis(500), "{}: {p99}", kind.name());
    }
    let fcfs = hdd(Policy::Fcfs, Workload::Flood);
    assert!(fcfs.missed * 2 > fcfs.wanted, "the flood is one: {fcfs:?}");
}

#[test]
fn bfq_shares_by_weight_within_five_in_a_hundred() {
    let weights: u64 = SHARES.iter().sum();
    for kind in ModelKind::ALL {
        let outcome = outcome(Policy::Bfq, Workload::Shares, kind);
        for (bytes, weight) in outcome.shares.into_iter().zip(SHARES) {
            let share = bytes as f64 / outcome.bytes as f64;
            let error = share / (weight as f64 / weights as f64) - 1.0;
            assert!(error.abs() <= 0.05, "{}: {weight}: {share}", kind.name());
        }
    }
}

#[test]
fn most_of_what_sequential_programs_ask_for_is_merged() {
    for policy in Policy::ALL {
        for kind in ModelKind::ALL {
            let outcome = outcome(policy, Workload::SequentialMixed, kind);
            let ratio = outcome.merged as f64 / outcome.requests as f64;
            let holds = match policy {
                Policy::Fcfs => ratio == 0.0,
                _ => ratio >= 0.6,
            };
            assert!(holds, "{} on {}: {ratio}", policy.name(), kind.name());
        }
    }
}

#[test]
fn kyber_holds_its_targets_from_ten_windows_on() {
    let of = |policy| outcome(policy, Workload::Background, ModelKind::Ssd);
    let (kyber, noop) = (of(Policy::Kyber), of(Policy::Noop));
    let target = Some(Duration::from_millis(2));
    assert!(kyber.p99.is_some() && kyber.p99 <= target, "{kyber:?}");
    let of_writes = Some(Duration::from_millis(10));
    assert!(
        kyber.others_p99.is_some() && kyber.others_p99 <= of_writes,
        "{kyber:?}"
    );
    assert!(noop.p50 > target, "without it they would be slow: {noop:?}");
    assert!(per_s(&kyber) < per_s(&noop), "writes pay for it");
}

#[test]
fn a_comparison_is_the_same_every_time_but_for_the_processors_part() {
    let first = outcome(Policy::Bfq, Workload::Mixed, ModelKind::Ssd);
    assert_eq!(first, outcome(Policy::Bfq, Workload::Mixed, ModelKind::Ssd));
}

#[test]
fn it_goes_on_in_slices_and_answers_once() {
    let mut operations = Operations::default();
    let id = operations
        .open(Instant::ZERO, LIMIT)
        .expect("there is room");
    let mut bench = Bench::default();
    let wish = Wish {
        policy: Some(Policy::Noop),
        workload: Some(Workload::Shares),
    };
    assert_eq!(bench.start(id, wish), Ok(()));
    assert_eq!(bench.start(id, wish), Err(Bench::BUSY));
    let mut report = Report::new();
    let mut nanos = 0;
    let mut slices = 0;
    while !bench.maybe_answer(id, &mut report) {
        // Every look at the clock costs 100 us, so a slice is a few of them.
        bench.step(&mut || {
            nanos += 100_000;
            Instant::from_nanos(nanos)
        });
        slices += 1;
        assert!(slices < 100_000);
    }
    assert!(slices > 100);
    assert_eq!(bench.next_deadline(Instant::ZERO), None);
    let table = report.block(1).expect("a table behind the text");
    assert_eq!((table.row_count(), table.columns().len()), (2, 11));
    assert!(!bench.maybe_answer(id, &mut report));
}
