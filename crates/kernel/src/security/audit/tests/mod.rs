//! The promises of the audit trail, on random trails.

mod outside;
mod ring;
mod tampering;

use super::*;
use crate::base::prng::Prng;
use crate::base::subject::Subject;
use crate::base::time::Duration;
use alloc::string::String;
use alloc::vec::Vec;

pub fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

pub fn pick<T: Copy>(random: &mut Prng, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

/// Text with everything that could trip somebody up.
pub fn odd_text(random: &mut Prng) -> String {
    const ODD: [char; 12] = [
        'a',
        'Z',
        '7',
        ' ',
        '"',
        '\\',
        '\n',
        '\0',
        '\u{1b}',
        'é',
        '€',
        '\u{1f600}',
    ];
    (0..random.below(60)).map(|_| pick(random, &ODD)).collect()
}

pub fn random_event(random: &mut Prng) -> Event {
    let subjects: Vec<Subject> = Subject::all().collect();
    Event::new(
        pick(random, Kind::ALL),
        pick(random, Verb::ALL),
        &odd_text(random),
    )
    .level(pick(random, Level::ALL))
    .by(pick(random, &subjects))
    .outcome(pick(random, Outcome::ALL))
    .times(1 + random.below(3) as u32)
    .text(format_args!("{}", odd_text(random)))
}

/// So many entries, a second apart, so that nothing is gathered.
pub fn random_trail(random: &mut Prng, entries: u64) -> AuditTrail {
    let mut trail = AuditTrail::new(&random.next_u64().to_le_bytes());
    for number in 0..entries {
        let event = random_event(random);
        assert_eq!(trail.append(at(number * 1000), event), number);
    }
    trail
}
