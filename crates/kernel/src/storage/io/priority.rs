//! How urgent a request is: 18 steps; the first goes before all others.

use core::fmt;

/// 0 is what the kernel itself cannot wait for, 1 to 8 are real time, 9 to 16 best
/// effort, 17 is done when nobody else wants anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Priority(u8);

impl Priority {
    pub const COUNT: usize = 18;
    /// The classes by name; the first goes before all others.
    pub const CLASSES: [&'static str; 4] = ["urgent", "real-time", "best-effort", "idle"];
    /// Logs and the flushes behind which acknowledgements wait.
    pub const URGENT: Self = Self(0);
    /// What is asked for without a wish.
    pub const USUAL: Self = Self(13);
    /// Scrubbing, resynchronising, whatever nobody waits for.
    pub const IDLE: Self = Self(17);

    pub const fn new(step: usize) -> Option<Self> {
        if step < Self::COUNT {
            Some(Self(step as u8))
        } else {
            None
        }
    }

    /// Level 0 to 7 of real time.
    pub const fn real_time(level: u8) -> Self {
        Self(1 + if level > 7 { 7 } else { level })
    }

    /// Level 0 to 7 of best effort.
    pub const fn best_effort(level: u8) -> Self {
        Self(9 + if level > 7 { 7 } else { level })
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// What it gets of a disk beside others: 8 down to 1 within a class.
    pub const fn weight(self) -> u32 {
        match self.0 {
            0 => 8,
            step @ 1..=16 => 8 - (step as u32 - 1) % 8,
            _ => 1,
        }
    }

    pub const fn class(self) -> &'static str {
        Self::CLASSES[self.class_index()]
    }

    /// Its class's place among `CLASSES`.
    pub const fn class_index(self) -> usize {
        match self.0 {
            0 => 0,
            1..=8 => 1,
            9..=16 => 2,
            _ => 3,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_eighteen_and_each_has_a_class_and_a_weight() {
        let all: Vec<_> = (0..=Priority::COUNT).filter_map(Priority::new).collect();
        assert_eq!(all.len(), 18);
        assert!(all.is_sorted());
        let of = |class| all.iter().filter(|each| each.class() == class).count();
        assert_eq!(
            ["urgent", "real-time", "best-effort", "idle"].map(of),
            [1, 8, 8, 1]
        );
        assert_eq!(Priority::best_effort(0).weight(), 8);
        assert_eq!(Priority::best_effort(7).weight(), 1);
        assert_eq!(Priority::best_effort(4), Priority::USUAL);
    }
}
