//! Numbers, the ring, what is gathered, and what is kept out.

use super::*;
use crate::limits::AUDIT_ENTRIES_MAX;

#[test]
fn numbers_have_no_gaps_and_the_ring_verifies_when_it_has_wrapped() {
    let mut random = Prng::new(1);
    let entries = AUDIT_ENTRIES_MAX as u64 + 77;
    let trail = random_trail(&mut random, entries);
    let chain = trail.chain();
    assert_eq!(chain.len(), AUDIT_ENTRIES_MAX);
    assert_eq!((chain.base().entries, trail.head().entries), (77, entries));
    let numbers = chain.iter().map(|sealed| sealed.entry.number);
    assert!(numbers.eq(77..entries));
    assert_eq!(verify(chain), Ok(AUDIT_ENTRIES_MAX as u64));
    assert_eq!(chain.hash_at(77), Some(&chain.base().hash));
    assert_eq!(chain.hash_at(entries), Some(&trail.head().hash));
    assert_eq!(
        (chain.hash_at(76), chain.hash_at(entries + 1)),
        (None, None)
    );
    assert_eq!(trail.left_unanchored(), 77);
}

#[test]
fn trails_of_two_boots_differ_from_the_first_hash_on() {
    let (mut one, mut other) = (AuditTrail::default(), AuditTrail::default());
    one.begin(&[1; 32]);
    other.begin(&[2; 32]);
    let event = Event::boot("start", format_args!("the same"));
    one.append(at(0), event);
    other.append(at(0), event);
    assert_ne!(one.head().hash, other.head().hash);
    let head = one.head();
    one.begin(&[3; 32]);
    assert_eq!((one.head(), verify(one.chain())), (head, Ok(1)));
}

#[test]
fn a_refusal_that_comes_again_is_gathered_and_accounted_for() {
    let mut trail = AuditTrail::default();
    let handlers = DeviceHandlers::new();
    let denied = |line| Event::command(Subject::Visitor, "reboot", line, Outcome::Denied);
    assert_eq!(trail.append(at(0), denied("reboot")), 0);
    for millis in 1..500 {
        assert_eq!(trail.append(at(millis), denied("reboot now")), 0);
        assert_eq!(trail.operations_denied(&handlers), 1 + millis);
    }
    assert_eq!(trail.head().entries, 1);
    assert_eq!(trail.next_deadline(at(500)), Some(at(1000)));
    trail.step(at(1000));
    assert_eq!(trail.head().entries, 2);
    let rest = trail.chain().iter().last().expect("there are two").entry;
    assert_eq!((rest.times, rest.text.as_str()), (499, "reboot now"));
    assert_eq!(trail.operations_denied(&handlers), 500);
    assert_eq!(trail.append(at(1001), denied("reboot")), 2);
    // What was allowed is never gathered.
    let allowed = Event::command(Subject::Api, "status", "status", Outcome::Allowed);
    assert_eq!(trail.append(at(1001), allowed), 3);
    assert_eq!(trail.append(at(1001), allowed), 4);
}

#[test]
fn a_flood_of_refusals_takes_few_entries() {
    let mut trail = AuditTrail::default();
    for number in 0..100_000u64 {
        let denied = Event::wrong_token(Subject::Visitor, format_args!("10.0.2.{}", number % 8));
        trail.append(Instant::from_nanos(number * 100_000), denied);
    }
    trail.step(at(20_000));
    assert!(
        trail.head().entries <= 2 * 8 * 11,
        "{}",
        trail.head().entries
    );
    let times = trail
        .chain()
        .iter()
        .map(|sealed| u64::from(sealed.entry.times));
    assert_eq!(times.sum::<u64>(), 100_000);
    assert_eq!(trail.counts().by_outcome[Outcome::Denied as usize], 100_000);
}

#[test]
fn an_address_that_is_shut_out_and_goes_on_pushes_nothing_out() {
    let mut trail = AuditTrail::default();
    for millis in 0..20_000 {
        trail.append(at(millis), Event::shut_out(format_args!("10.0.2.2")));
    }
    trail.step(at(30_000));
    assert!(trail.head().entries <= 40, "{}", trail.head().entries);
    let times = trail.chain().iter().map(|sealed| sealed.entry.times);
    assert_eq!(times.sum::<u32>(), 20_000);
}

#[test]
fn no_secret_enters_whoever_hands_it_over() {
    let mut trail = AuditTrail::default();
    let secret = "correct-horse-battery";
    let line = alloc::format!("echo token={secret} and more");
    trail.append(at(0), Event::line(Subject::Api, &line));
    trail.append(
        at(0),
        Event::command(Subject::Api, "echo", &line, Outcome::Done),
    );
    trail.append(at(0), Event::intent(Subject::Api, &line, Err(&line)));
    trail.append(at(0), Event::boot(&line, format_args!("{line}")));
    let long = alloc::format!("{} token={secret}", "x".repeat(80));
    trail.append(at(0), Event::boot("start", format_args!("{long}")));
    let mut event = Event::boot("start", format_args!(""));
    event.text = Sentence::new(&line);
    event.object = Object::new(&line[5..]);
    trail.append(at(0), event);
    assert_eq!(trail.head().entries, 6);
    for sealed in trail.chain().iter() {
        let shown = alloc::format!("{:?}", sealed.entry);
        assert!(!shown.contains("correct"), "{shown}");
    }
}

#[test]
fn an_entry_with_its_hash_takes_192_bytes() {
    assert_eq!(size_of::<Sealed>(), 192);
}
