//! Breaks the trail on purpose, to see that this is found.

use super::AuditTrail;
use super::chain::Sealed;
use super::entry::{Entry, Sentence};
use crate::limits::AUDIT_ENTRIES_MAX;

/// What is done to an entry behind the trail's back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tamper {
    /// Its text is another.
    Change,
    Drop,
    /// It changes places with the next, the last one with the one before.
    Reorder,
    /// Another one with the same number stands before it.
    Insert,
}

impl AuditTrail {
    pub fn tamper(&mut self, tamper: Tamper, number: u64) -> Result<(), &'static str> {
        let kept = &mut self.chain.kept;
        let is_it = |sealed: &Sealed| sealed.entry.number == number;
        let index = kept.iter().position(is_it);
        let index = index.ok_or("no entry that is kept has that number; see audit tail")?;
        match tamper {
            Tamper::Change => {
                kept[index].entry.text = Sentence::new("nothing happened");
            }
            Tamper::Drop => drop(kept.remove(index)),
            Tamper::Reorder if kept.len() < 2 => {
                return Err("there is only one entry; try again when there are more");
            }
            Tamper::Reorder => {
                let other = if index + 1 < kept.len() {
                    index + 1
                } else {
                    index - 1
                };
                kept.swap(index, other);
            }
            Tamper::Insert if kept.len() == AUDIT_ENTRIES_MAX => {
                return Err("the ring is full; use change, drop or reorder");
            }
            Tamper::Insert => {
                let genuine = kept[index];
                let text = Sentence::new("this never happened");
                let entry = Entry {
                    text,
                    ..genuine.entry
                };
                let hash = entry.hash_behind(&genuine.hash);
                kept.insert(index, Sealed { entry, hash });
            }
        }
        self.verification.start_over();
        Ok(())
    }
}
