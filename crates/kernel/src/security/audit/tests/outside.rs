//! Filters, records of devices, anchors, and verifications that run in slices.

use super::*;
use crate::base::operation::{Operations, Performer};
use crate::base::report::Report;
use crate::base::tenant::Tenant;
use crate::drivers::handlers::{Operation, Resource};
use alloc::boxed::Box;

fn tenant(number: usize) -> Tenant {
    Tenant::new(number).expect("there is that tenant")
}

type Fits = Box<dyn Fn(&Entry) -> bool>;

#[test]
fn a_filter_finds_what_a_naive_one_finds() {
    let mut random = Prng::new(1);
    let trail = random_trail(&mut random, 400);
    let now = at(400_000);
    for _ in 0..300 {
        let (kind, level) = (pick(&mut random, Kind::ALL), pick(&mut random, Level::ALL));
        let outcome = pick(&mut random, Outcome::ALL);
        let minutes = random.below(8);
        let mut words = Vec::new();
        let mut naive: Vec<Fits> = Vec::new();
        if random.one_in(2) {
            words.push(alloc::format!("kind={}", kind.name()));
            naive.push(Box::new(move |entry| entry.kind == kind));
        }
        if random.one_in(3) {
            words.push(alloc::format!("level>={}", level.name()));
            naive.push(Box::new(move |entry| entry.level as u8 >= level as u8));
        }
        if random.one_in(3) {
            words.push(alloc::format!("outcome={}", outcome.name()));
            naive.push(Box::new(move |entry| entry.outcome == outcome));
        }
        if random.one_in(2) {
            words.push(alloc::format!("since={minutes}m"));
            let oldest = 400_000 - minutes as i64 * 60_000;
            naive.push(Box::new(move |entry| {
                entry.at.as_nanos() as i64 / 1_000_000 >= oldest
            }));
        }
        if random.one_in(3) {
            words.push("text=aZ".into());
            naive.push(Box::new(|entry| {
                let lower = |text: &str| text.to_ascii_lowercase().contains("az");
                lower(entry.object.as_str()) || lower(entry.text.as_str())
            }));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let filter = Filter::parse(&words).expect("these are clauses");
        for sealed in trail.chain().iter() {
            let entry = &sealed.entry;
            let expected = naive.iter().all(|fits| fits(entry));
            assert_eq!(filter.fits(now, entry), expected, "{words:?} {entry:?}");
        }
    }
}

#[test]
fn a_word_that_is_no_clause_is_named() {
    let cases = [
        ("kind=securty", FilterError::NotOneOf(Kind::NAMES)),
        ("level>=", FilterError::NotOneOf(Level::NAMES)),
        ("subject=root", FilterError::NoSubject),
        ("since=10", FilterError::NoSpan),
        ("since=+1m", FilterError::NoSpan),
        ("since=99999999999999999999d", FilterError::NoSpan),
        ("since=€", FilterError::NoSpan),
        ("text=", FilterError::NoClause),
        ("denied", FilterError::NoClause),
        ("", FilterError::NoClause),
    ];
    for (word, error) in cases {
        assert_eq!(Filter::parse(&["kind=user", word]), Err((word, error)));
    }
}

#[test]
fn records_of_devices_are_copied_once_and_every_denial_is_accounted_for() {
    let (mut handlers, mut trail) = (DeviceHandlers::new(), AuditTrail::default());
    let mut random = Prng::new(2);
    let far = Operation::BlockRead {
        sector: 1 << 40,
        sectors: 1,
    };
    let mut denied = 0;
    for step in 0..4000 {
        let now = at(step * 7);
        for _ in 0..random.below(4) {
            let guest = tenant(1 + random.below(7) as usize);
            denied += u64::from(handlers.admit(now, guest, far).is_err());
        }
        if random.one_in(50) {
            handlers.set_quota(now, tenant(2), Resource::BlockReads, Some(step));
        }
        if random.one_in(50) {
            handlers.on_console_line(now, Tenant::KERNEL, "status");
        }
        if random.one_in(3) {
            trail.copy_device_records(now, &handlers);
            assert_eq!(trail.operations_denied(&handlers), denied);
        }
        trail.step(now);
    }
    trail.copy_device_records(at(100_000), &handlers);
    let entries = || trail.chain().iter().map(|sealed| sealed.entry);
    let times = entries().filter(|entry| entry.outcome == Outcome::Denied);
    assert_eq!(
        times.map(|entry| u64::from(entry.times)).sum::<u64>(),
        denied
    );
    let quotas = entries().filter(|entry| entry.verb == Verb::SetQuota);
    assert!(quotas.count() > 10);
    assert!(entries().all(|entry| entry.verb != Verb::Type));
    assert_eq!(
        (trail.device_records_missed(), verify(trail.chain()).is_ok()),
        (0, true)
    );
    let (before, head) = (trail.counts().operations_denied, trail.head());
    trail.copy_device_records(at(200_000), &handlers);
    assert_eq!(
        (trail.counts().operations_denied, trail.head()),
        (before, head)
    );
}

#[test]
fn records_that_were_pushed_out_before_they_were_copied_are_counted() {
    let (mut handlers, mut trail) = (DeviceHandlers::new(), AuditTrail::default());
    for number in 0..300 {
        handlers.set_quota(at(number), tenant(1), Resource::GpuQueue, Some(number));
    }
    trail.copy_device_records(at(300), &handlers);
    assert_eq!(
        (trail.device_records_missed(), trail.head().entries),
        (44, 256)
    );
}

#[test]
fn an_anchor_is_due_after_half_the_ring_an_hour_with_news_or_on_demand() {
    let hour = ANCHOR_PERIOD.as_millis();
    let mut random = Prng::new(3);
    let mut trail = random_trail(&mut random, 5);
    assert_eq!(trail.anchor_due(at(hour - 1)), None);
    let anchor = trail.anchor_due(at(hour)).expect("an hour is over");
    assert_eq!((anchor.entries, anchor.head), (5, trail.head().hash));
    assert_eq!(trail.anchor_due(at(hour)), None, "one is on its way");
    trail.on_anchored(at(hour), anchor, Ok(AnchoredIn::Tpm));
    assert_eq!(trail.head().entries, 5, "what went well is no news");
    assert_eq!(
        trail.anchor_due(at(9 * hour)),
        None,
        "nothing was done since"
    );
    trail.append(at(9 * hour), Event::boot("more", format_args!("")));
    assert!(trail.anchor_due(at(9 * hour)).is_some());
    let mut trail = random_trail(&mut random, ANCHOR_ENTRIES - 1);
    assert_eq!(trail.anchor_due(at(5)), None);
    trail.append(at(6), Event::boot("the last", format_args!("")));
    assert_eq!(
        trail.anchor_due(at(6)).map(|anchor| anchor.entries),
        Some(ANCHOR_ENTRIES)
    );
    let mut trail = random_trail(&mut random, 2);
    trail.apply(Change::Anchor).expect("it can be asked for");
    assert!(trail.anchor_due(at(7)).is_some());
}

#[test]
fn refused_anchors_are_counted_tried_again_and_do_not_push_out_the_others() {
    let mut trail = random_trail(&mut Prng::new(4), 3);
    trail.apply(Change::Anchor).expect("it can be asked for");
    let first = trail.anchor_due(at(1)).expect("it was asked for");
    trail.on_anchored(at(1), first, Ok(AnchoredIn::Software));
    let mut now = at(2);
    for _ in 0..40 {
        trail.append(now, Event::boot("more", format_args!("")));
        trail.apply(Change::Anchor).expect("it can be asked for");
        let anchor = trail.anchor_due(now).expect("it was asked for");
        trail.on_anchored(now, anchor, Err(AnchorError::LogFull));
        now = now + Duration::from_secs(5);
    }
    let anchors = trail.anchors();
    assert_eq!((anchors.refused(), anchors.records().len()), (40, 2));
    assert_eq!(anchors.entries_anchored(), first.entries);
    let refusals = trail.chain().iter_from(3);
    let refusals = refusals.filter(|sealed| sealed.entry.verb == Verb::Anchor);
    assert_eq!(refusals.count(), 1);
    // Nobody answers: that is a refusal, too, and it is tried again.
    trail.apply(Change::Anchor).expect("it can be asked for");
    assert!(trail.anchor_due(now).is_some());
    now = now + Duration::from_secs(60);
    trail.step(now);
    assert_eq!(trail.anchors().refused(), 41);
    trail.apply(Change::Anchor).expect("it can be asked for");
    assert!(trail.anchor_due(now).is_some());
}

/// Steps until the operation has its answer; says how often, and what it was.
fn await_answer(trail: &mut AuditTrail, from: Instant) -> (u32, Option<String>) {
    let (mut operations, mut report) = (Operations::default(), Report::new());
    let id = operations.open(from, VERIFY_LIMIT).expect("there is room");
    trail.start_verify_for(id).expect("there is room");
    for ticks in 1.. {
        let now = from + Duration::from_millis(u64::from(ticks));
        let next = trail.next_deadline(from);
        assert!(next.is_some_and(|next| next <= from), "it must not wait");
        trail.step(now);
        if trail.maybe_answer(id, &mut report) {
            return (ticks, report.error().map(String::from));
        }
    }
    unreachable!("an operation ends");
}

#[test]
fn a_verification_goes_on_in_slices_and_names_what_it_finds() {
    let mut random = Prng::new(5);
    let mut trail = random_trail(&mut random, 9000);
    let (ticks, error) = await_answer(&mut trail, at(10_000_000));
    assert_eq!(error, None);
    assert!((100..200).contains(&ticks), "{ticks}");
    for (how, named) in [
        (Tamper::Change, "entry 5000 was changed"),
        (Tamper::Drop, "entry 5000 is missing"),
        (
            Tamper::Reorder,
            "entry 5001 stands where entry 5000 belongs",
        ),
        (
            Tamper::Insert,
            "an entry numbered 5000 was inserted behind entry 4999",
        ),
    ] {
        let mut trail = random_trail(&mut random, 8000);
        trail
            .apply(Change::Tamper { how, number: 5000 })
            .expect("it is kept");
        let (_, error) = await_answer(&mut trail, at(10_000_000));
        assert_eq!(
            error,
            Some(alloc::format!("the trail does not hold: {named}"))
        );
        let newest = trail.chain().iter().last().expect("it is not empty").entry;
        assert_eq!(
            (newest.level, newest.text.as_str()),
            (Level::Critical, named)
        );
        assert_eq!(trail.verification().findings(), 1);
    }
}

#[test]
fn entries_that_come_and_go_meanwhile_do_not_disturb_a_verification() {
    let mut random = Prng::new(6);
    let mut trail = random_trail(&mut random, 9000);
    let (mut operations, mut report) = (Operations::default(), Report::new());
    let id = operations.open(at(0), VERIFY_LIMIT).expect("there is room");
    trail.start_verify_for(id).expect("there is room");
    let mut now = at(10_000_000);
    while !trail.maybe_answer(id, &mut report) {
        now = now + Duration::from_secs(2);
        (0..random.below(50)).for_each(|_| {
            trail.append(now, random_event(&mut random));
        });
        trail.step(now);
    }
    assert_eq!(report.error(), None);
    let last = trail.verification().last().expect("it has ended");
    let whole = last.result.expect("nothing was broken");
    assert_eq!(
        (whole.next, whole.head),
        (trail.head().entries, trail.head().hash)
    );
}

#[test]
fn a_chain_that_was_made_anew_does_not_fit_an_anchor() {
    let mut random = Prng::new(7);
    let mut trail = random_trail(&mut random, 50);
    trail.apply(Change::Anchor).expect("it can be asked for");
    let anchor = trail.anchor_due(at(60_000)).expect("it was asked for");
    trail.on_anchored(at(60_000), anchor, Ok(AnchoredIn::Tpm));
    assert_eq!(await_answer(&mut trail, at(70_000)).1, None);
    let whole = trail
        .verification()
        .last()
        .and_then(|last| last.result.ok());
    assert_eq!(whole.map(|whole| whole.anchors), Some(1));
    // Somebody with all of the kernel's memory in hand leaves one entry out.
    let kept: Vec<Entry> = trail.chain().iter().map(|sealed| sealed.entry).collect();
    let mut forged = AuditTrail::default();
    for entry in kept.iter().filter(|entry| entry.number != 20) {
        let number = forged.head().entries;
        forged.chain.push(Entry { number, ..*entry });
    }
    forged.append(at(80_000), Event::boot("one more", format_args!("")));
    trail.chain = forged.chain;
    assert_eq!(verify(trail.chain()), Ok(50));
    let (_, error) = await_answer(&mut trail, at(90_000));
    let named = "anchor 0 does not fit: the first 50 entries are not those that were anchored";
    assert_eq!(
        error,
        Some(alloc::format!("the trail does not hold: {named}"))
    );
}
