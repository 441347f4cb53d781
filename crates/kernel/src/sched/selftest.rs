//! Proofs that the threads give on the machine they run on.
//!
//! One test at a time. Its threads write what they found into the cells below;
//! whoever asks reads them.

use super::spawn::{Spawn, spawn};
use super::table::ThreadId;
use super::threads::{
    PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_NORMAL, park, park_until, sleep_until, unpark,
};
use crate::arch::{clock, core_local, selftest};
use crate::base::fixed::Text;
use crate::base::machine::{SelfTest, SelfTestError, SelfTestView};
use crate::base::prng::Prng;
use crate::base::sync::IrqLock;
use crate::base::time::{Duration, Instant};
use crate::limits::STACK_BYTES;
use crate::limits::THREAD_NAME_MAX;
use core::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

const NO_FAILURE: u64 = u64::MAX;
const PLAYERS_MAX: usize = 16;
/// A wake-up takes microseconds; one that has not come after this is lost.
const PATIENCE: Duration = Duration::from_secs(5);

static NAME: IrqLock<&str> = IrqLock::new("");
static IS_RUNNING: AtomicBool = AtomicBool::new(false);
static PASSED: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);
static FIRST_FAILURE: AtomicU64 = AtomicU64::new(NO_FAILURE);
static SWITCHES_BEFORE: AtomicU64 = AtomicU64::new(0);
/// Threads of the test that have not ended.
static LEFT: AtomicUsize = AtomicUsize::new(0);
/// What the test was asked for: a count, or the moment of its end.
static GOAL: AtomicU64 = AtomicU64::new(0);

pub fn view() -> SelfTestView {
    let first = FIRST_FAILURE.load(Acquire);
    SelfTestView {
        name: NAME.with(|name| *name),
        is_running: IS_RUNNING.load(Acquire),
        passed: PASSED.load(Relaxed),
        failed: FAILED.load(Relaxed),
        first_failure: (first != NO_FAILURE).then_some(first),
        switches: switches().saturating_sub(SWITCHES_BEFORE.load(Relaxed)),
    }
}

fn switches() -> u64 {
    core_local::online()
        .map(|(core, _)| super::core_use(core, clock::now()).switches)
        .sum()
}

pub fn start(test: SelfTest) -> Result<(), SelfTestError> {
    if IS_RUNNING.swap(true, AcqRel) {
        return Err(SelfTestError::AlreadyRunning);
    }
    PASSED.store(0, Relaxed);
    FAILED.store(0, Relaxed);
    FIRST_FAILURE.store(NO_FAILURE, Relaxed);
    SWITCHES_BEFORE.store(switches(), Relaxed);
    let result = match test {
        SelfTest::Exceptions => start_exceptions(),
        SelfTest::WakeUps { count } => start_wake_ups(count),
        SelfTest::Preemption { seconds } => start_preemption(seconds),
    };
    if result.is_err() {
        IS_RUNNING.store(false, Release);
    }
    result
}

fn set_name(name: &'static str) {
    NAME.with(|current| *current = name);
}

fn note(is_right: bool, subject: u64) {
    match is_right {
        true => {
            PASSED.fetch_add(1, Relaxed);
        }
        false => {
            FAILED.fetch_add(1, Relaxed);
            // The first stays.
            let _ = FIRST_FAILURE.compare_exchange(NO_FAILURE, subject, AcqRel, Acquire);
        }
    }
}

/// The last thread to end ends the test.
fn leave() {
    if LEFT.fetch_sub(1, AcqRel) == 1 {
        IS_RUNNING.store(false, Release);
    }
}

fn start_thread(
    name: &str,
    priority: u8,
    pinned_to: Option<usize>,
    entry: fn(usize),
    argument: usize,
) -> Result<ThreadId, SelfTestError> {
    let name: Text<THREAD_NAME_MAX> = Text::format(format_args!("{name}-{argument}"));
    LEFT.fetch_add(1, AcqRel);
    spawn(Spawn {
        name: &name,
        priority,
        pinned_to,
        entry,
        argument,
        stack_bytes: STACK_BYTES,
    })
    .map_err(|_| {
        LEFT.fetch_sub(1, AcqRel);
        SelfTestError::NoThread
    })
}

/// On every core: the exceptions that can be raised, and the stubs of all.
fn start_exceptions() -> Result<(), SelfTestError> {
    set_name("exceptions");
    let run = |core: usize| {
        for vector in selftest::RAISED {
            note(selftest::raise(vector), u64::from(vector));
        }
        for vector in 0..32 {
            note(
                selftest::enter(vector),
                100 + u64::from(vector) + 1000 * core as u64,
            );
        }
        leave();
    };
    for (core, _) in core_local::online() {
        start_thread("exceptions", PRIORITY_NORMAL, Some(core), run, core)?;
    }
    Ok(())
}

/// The players of the game of wake-ups, by number.
static SLOTS: IrqLock<[Option<ThreadId>; PLAYERS_MAX]> = IrqLock::new([None; PLAYERS_MAX]);
static PLAYERS: AtomicUsize = AtomicUsize::new(0);
/// Counted up; the player whose turn it is, is the rest by their number.
static TURN: AtomicU64 = AtomicU64::new(0);
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// A ring of threads, one a core, hands a turn round: each wakes the next and
/// waits, without a deadline, until it is woken.
fn start_wake_ups(count: u64) -> Result<(), SelfTestError> {
    set_name("wake-ups");
    let cores = core_local::online().count();
    let players = cores.clamp(2, PLAYERS_MAX);
    IS_OPEN.store(false, Release);
    TURN.store(0, Release);
    GOAL.store(count, Release);
    PLAYERS.store(players, Release);
    for player in 0..players {
        let thread = start_thread(
            "wake-ups",
            PRIORITY_NORMAL,
            Some(player % cores),
            play,
            player,
        )?;
        SLOTS.with(|slots| slots[player] = Some(thread));
    }
    start_thread("wake-ups-judge", PRIORITY_HIGH, None, judge, 0)?;
    Ok(())
}

fn play(own: usize) {
    let players = PLAYERS.load(Acquire) as u64;
    while !IS_OPEN.load(Acquire) {
        park();
    }
    loop {
        let turn = TURN.load(Acquire);
        if turn >= GOAL.load(Acquire) {
            break;
        }
        if turn % players != own as u64 {
            park();
            continue;
        }
        TURN.store(turn + 1, Release);
        note(true, turn);
        wake_player(((turn + 1) % players) as usize);
    }
    leave();
}

fn wake_player(number: usize) {
    let player = SLOTS.with(|slots| slots[number]);
    if let Some(player) = player {
        unpark(player);
    }
}

/// Opens the game when all are there; ends it when nobody has played for long.
fn judge(_: usize) {
    let wake_all = || (0..PLAYERS.load(Acquire)).for_each(wake_player);
    IS_OPEN.store(true, Release);
    wake_all();
    let mut seen = (0, clock::now());
    while TURN.load(Acquire) < GOAL.load(Acquire) {
        let (turn, now) = (TURN.load(Acquire), clock::now());
        if turn != seen.0 {
            seen = (turn, now);
        } else if now.since(seen.1) > PATIENCE {
            note(false, turn);
            GOAL.store(0, Release);
        }
        sleep_until(now + Duration::from_millis(2));
    }
    wake_all();
    leave();
}

/// Threads that hold registers and stacks, and on each core one that takes the core
/// from them at random moments.
fn start_preemption(seconds: u64) -> Result<(), SelfTestError> {
    set_name("preemption");
    let end = clock::now() + Duration::from_secs(seconds);
    GOAL.store(end.as_nanos(), Release);
    let cores = core_local::online().count();
    for (core, _) in core_local::online() {
        start_thread("disturber", PRIORITY_NORMAL, Some(core), disturb, core)?;
    }
    for worker in 0..2 * cores + 1 {
        start_thread("worker", PRIORITY_LOW, None, hold, worker)?;
    }
    Ok(())
}

fn is_over() -> bool {
    clock::now() >= Instant::from_nanos(GOAL.load(Acquire))
}

fn disturb(core: usize) {
    let mut prng = Prng::new(clock::ticks() ^ core as u64);
    while !is_over() {
        let pause = Duration::from_nanos(20_000 + prng.below(480_000));
        park_until(clock::now() + pause);
    }
    leave();
}

fn hold(worker: usize) {
    const STACK_WORDS: usize = 512;
    let mut prng = Prng::new(clock::ticks() ^ (worker as u64) << 32);
    while !is_over() {
        let seed = prng.next_u64();
        let mut filled = Prng::new(seed);
        let words: [u64; STACK_WORDS] = core::array::from_fn(|_| filled.next_u64());
        let words = core::hint::black_box(words);
        let rounds = 1_000 + prng.below(200_000);
        let is_held = selftest::hold_registers(seed, rounds) == 0;
        let mut expected = Prng::new(seed);
        let is_kept = words.iter().all(|word| *word == expected.next_u64());
        note(is_held && is_kept, worker as u64);
    }
    leave();
}
