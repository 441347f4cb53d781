//! Answers that hold for a while, and known absences (RFC 2308).

use super::name::Name;
use super::view::{Answer, CacheEntryView, Failure, Kind};
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::DNS_CACHE_MAX;
use alloc::boxed::Box;

/// Whatever a server says, longer than this nothing is believed.
const TTL_MAX: Duration = Duration::from_secs(86_400);
const NEGATIVE_TTL_MAX: Duration = Duration::from_secs(300);

struct Entry {
    name: Name,
    kind: Kind,
    until: Instant,
    result: Result<Answer, Failure>,
}

#[derive(Default)]
pub struct Cache {
    entries: Box<Vec<Entry, DNS_CACHE_MAX>>,
    high_water: usize,
}

impl Cache {
    pub fn find(&self, now: Instant, name: &Name, kind: Kind) -> Option<Result<Answer, Failure>> {
        let mut entries = self.entries.iter().filter(|entry| now < entry.until);
        let entry = entries.find(|entry| entry.kind == kind && entry.name == *name)?;
        Some(entry.result.clone().map(|answer| Answer {
            ttl: entry.until.since(now),
            took: Duration::ZERO,
            is_cached: true,
            ..answer
        }))
    }

    pub fn keep(
        &mut self,
        now: Instant,
        (name, kind): (&Name, Kind),
        ttl: Duration,
        result: Result<Answer, Failure>,
    ) {
        let ttl = ttl.min(match result {
            Ok(_) => TTL_MAX,
            Err(_) => NEGATIVE_TTL_MAX,
        });
        let is_same = |entry: &Entry| entry.kind == kind && entry.name == *name;
        if let Some(index) = self.entries.iter().position(is_same) {
            self.entries.remove(index);
        }
        if ttl == Duration::ZERO {
            return;
        }
        if self.entries.is_full() {
            self.forget_one();
        }
        let entry = Entry {
            name: name.clone(),
            kind,
            until: now + ttl,
            result,
        };
        let kept = self.entries.push(entry);
        crate::invariant!(kept.is_ok(), "no room in the cache after one was forgotten");
        self.high_water = self.high_water.max(self.entries.len());
    }

    /// Makes room by what ends first.
    fn forget_one(&mut self) {
        let entries = self.entries.iter().enumerate();
        if let Some((index, _)) = entries.min_by_key(|(_, entry)| entry.until) {
            self.entries.remove(index);
        }
    }

    pub fn visit(&self, now: Instant, visit: &mut dyn FnMut(&CacheEntryView<'_>)) {
        for entry in self.entries.iter().filter(|entry| now < entry.until) {
            let first = entry.result.as_ref().ok();
            visit(&CacheEntryView {
                name: &entry.name,
                kind: entry.kind,
                address: first.and_then(|answer| answer.addresses.first().copied()),
                ttl: entry.until.since(now),
            });
        }
    }

    pub fn len(&self, now: Instant) -> usize {
        self.entries
            .iter()
            .filter(|entry| now < entry.until)
            .count()
    }

    pub fn usage(&self) -> Usage {
        Usage::of("DNS_CACHE_MAX", DNS_CACHE_MAX)
            .used(self.entries.len() as u64)
            .high_water(self.high_water as u64)
            .ring()
    }
}
