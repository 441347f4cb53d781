//! An export that was made is read and holds; one that was touched never passes, and never panics.

use std::fmt::Write;

use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::subject::Subject;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::security::audit::{AuditTrail, Event, Kind, Level, Outcome, Verb};

use super::{Export, judge};

/// Exports that were spoiled at random.
const SPOILED: u64 = 10_000;

const ODD: [&str; 14] = [
    "a",
    "Z",
    " ",
    "\"",
    "\\",
    "\n",
    "\0",
    "\u{1b}[2J",
    "é",
    "€",
    "\u{1f600}",
    "\u{202e}",
    "{}",
    "\\u0041",
];

fn pick<T: Copy>(random: &mut Prng, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

fn odd_text(random: &mut Prng) -> String {
    (0..random.below(50)).map(|_| pick(random, &ODD)).collect()
}

fn trail(random: &mut Prng, entries: u64) -> AuditTrail {
    let mut trail = AuditTrail::new(&random.next_u64().to_le_bytes());
    let subjects: Vec<Subject> = Subject::all().collect();
    for number in 0..entries {
        let (kind, verb) = (pick(random, Kind::ALL), pick(random, Verb::ALL));
        let event = Event::new(kind, verb, &odd_text(random))
            .level(pick(random, Level::ALL))
            .by(pick(random, &subjects))
            .outcome(pick(random, Outcome::ALL))
            .text(format_args!("{}", odd_text(random)));
        trail.append(Instant::ZERO + Duration::from_secs(number * 2), event);
    }
    trail
}

fn page(trail: &AuditTrail, from: u64, bytes_max: usize) -> String {
    let mut text = String::new();
    trail.chain().export(from, bytes_max, &mut |line| {
        writeln!(text, "{line}").expect("a string takes all");
    });
    text
}

/// All pages, one behind the other.
fn pages(trail: &AuditTrail, from: u64, bytes_max: usize) -> Vec<String> {
    let mut pages = Vec::new();
    let mut next = Some(from);
    while let Some(from) = next {
        let text = page(trail, from, bytes_max);
        next = Export::parse(&text).expect("it was just made").next;
        pages.push(text);
    }
    pages
}

fn verdict(text: &str) -> Result<String, String> {
    let export = Export::parse(text).map_err(|error| error.to_string())?;
    judge(&export, None)
}

#[test]
fn every_page_holds_by_itself_and_all_in_a_row() {
    let mut random = Prng::new(1);
    let trail = trail(&mut random, 300);
    for bytes_max in [1, 4096, 1 << 30] {
        let pages = pages(&trail, 0, bytes_max);
        assert!(pages.iter().all(|page| verdict(page).is_ok()));
        let sizes = pages.iter().map(String::len);
        assert!(bytes_max == 1 || sizes.max() <= Some(bytes_max));
        let praise = verdict(&pages.concat()).expect("all pages hold");
        assert!(praise.contains("300 entries, from 0 up to 300"), "{praise}");
    }
    let whole = page(&trail, 0, usize::MAX);
    assert!(whole.is_ascii() && whole.lines().count() == 302);
    let export = Export::parse(&whole).expect("it was just made");
    for sealed in trail.chain().iter() {
        let praise = judge(&export, Some(&sealed.hash)).expect("each hash is a point");
        let words = format!("that of the first {} entries", sealed.entry.number + 1);
        assert!(praise.contains(&words), "{praise}");
    }
    assert!(judge(&export, Some(&[7; 32])).is_err());
}

#[test]
fn an_answer_in_json_is_an_export_too() {
    let trail = trail(&mut Prng::new(2), 20);
    let text = page(&trail, 5, usize::MAX);
    let lines: Vec<&str> = text.lines().collect();
    let answer = serde_json::json!({
        "command": "audit export 5", "ok": true,
        "report": [{"kind": "text", "title": "", "lines": lines}],
    });
    let praise = verdict(&answer.to_string()).expect("the same in other clothes");
    assert!(praise.contains("15 entries, from 5 up to 20"), "{praise}");
    for stranger in [
        "",
        "{}",
        "[]",
        "hello",
        r#"{"report":[]}"#,
        "{\"report\":3}",
    ] {
        assert!(verdict(stranger).is_err(), "{stranger}");
    }
}

#[test]
fn lines_that_are_missing_doubled_or_moved_are_named() {
    let trail = trail(&mut Prng::new(3), 40);
    let text = page(&trail, 0, usize::MAX);
    let lines: Vec<&str> = text.lines().collect();
    // The line of entry n is the one at n + 1.
    for number in 0..40 {
        let mut dropped = lines.clone();
        dropped.remove(number + 1);
        let finding = verdict(&dropped.join("\n")).expect_err("one is missing");
        assert_eq!(finding, format!("entry {number} is missing"));
        let mut doubled = lines.clone();
        doubled.insert(number + 1, lines[number + 1]);
        let finding = verdict(&doubled.join("\n")).expect_err("one is there twice");
        let named = format!("an entry numbered {number} was inserted behind entry {number}");
        assert_eq!(finding, named);
        if number > 0 {
            let mut moved = lines.clone();
            moved.swap(number, number + 1);
            let finding = verdict(&moved.join("\n")).expect_err("two changed places");
            let before = number - 1;
            assert_eq!(
                finding,
                format!("entry {number} stands where entry {before} belongs")
            );
        }
    }
}

#[test]
fn pages_that_are_missing_or_of_another_trail_are_found() {
    let mut random = Prng::new(4);
    let (one, other) = (trail(&mut random, 90), trail(&mut random, 90));
    let pages_of = |trail| pages(trail, 0, 8192);
    let (one, other) = (pages_of(&one), pages_of(&other));
    assert!(one.len() > 3);
    for missing in 1..one.len() - 1 {
        let mut pages = one.clone();
        pages.remove(missing);
        let finding = verdict(&pages.concat()).expect_err("a page is missing");
        assert!(finding.contains("missing"), "{finding}");
        let mut pages = one.clone();
        pages[missing].clone_from(&other[missing]);
        assert!(verdict(&pages.concat()).is_err());
    }
}

#[test]
fn no_byte_of_an_export_can_be_changed() {
    let trail = trail(&mut Prng::new(5), 6);
    let text = page(&trail, 2, usize::MAX);
    for at in 0..text.len() - 1 {
        for change in [1, 2, 4, 8, 16, 32] {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= change;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            // A blank at the edge of a line says nothing.
            if changed.lines().map(str::trim).eq(text.lines()) {
                continue;
            }
            assert!(verdict(&changed).is_err(), "byte {at}: {changed}");
        }
    }
}

#[test]
fn spoiled_exports_are_refused_and_none_makes_a_panic() {
    let mut random = Prng::new(6);
    let trail = trail(&mut random, 30);
    let text = pages(&trail, 0, 4096).concat();
    let good: Vec<&str> = text.lines().collect();
    let mut passed = 0;
    for _ in 0..SPOILED {
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=random.below(4) {
            spoil(&mut random, &mut bytes);
        }
        let spoiled = String::from_utf8_lossy(&bytes);
        if verdict(&spoiled).is_ok() {
            let lines = spoiled.lines().map(str::trim);
            let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            // What still holds says nothing that the trail did not say.
            let odd = lines.iter().find(|line| !good.contains(line));
            assert_eq!(odd, None);
            passed += 1;
        }
    }
    assert!(passed < SPOILED / 10, "{passed}");
}

/// Changes a bit, a byte or a run of bytes, or puts in numbers that overflow.
fn spoil(random: &mut Prng, bytes: &mut Vec<u8>) {
    let length = bytes.len() as u64;
    let at = random.below(length.max(1)) as usize;
    let end = (at + random.below(400) as usize).min(bytes.len());
    match random.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.next_u64() as u8,
        2 => drop(bytes.drain(at.min(end)..end)),
        3 => {
            let run: Vec<u8> = bytes[at.min(end)..end].to_vec();
            let to = random.below(length.max(1)) as usize;
            bytes.splice(to..to, run);
        }
        4 => {
            let odd: [&[u8]; 5] = [
                b"18446744073709551615",
                b"-1",
                b"1e999",
                b"null",
                b"[[[[[[[",
            ];
            bytes.splice(at..at, pick(random, &odd).to_vec());
        }
        _ => {
            let digits = bytes.iter().skip(at).position(u8::is_ascii_digit);
            if let Some(digit) = digits {
                bytes[at + digit] = b'0' + random.below(10) as u8;
            }
        }
    }
}
