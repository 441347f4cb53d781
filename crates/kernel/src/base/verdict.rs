//! What became of a command, in one character for a program.

/// The first failure of a line decides for the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verdict {
    #[default]
    Succeeded,
    /// Understood and tried; refused, or something did not work.
    Failed,
    /// Who asks may not have it done, nor shown.
    Forbidden,
    /// There is no such command.
    Unknown,
    /// The line or the arguments make no sense.
    Malformed,
    /// It changes something, and this way of asking only looks.
    NotALook,
}

impl Verdict {
    const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::Failed,
        Self::Forbidden,
        Self::Unknown,
        Self::Malformed,
        Self::NotALook,
    ];

    /// The digit behind the answer's end.
    pub const fn digit(self) -> u8 {
        b'0' + self as u8
    }

    pub fn of_digit(digit: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|verdict| verdict.digit() == digit)
    }

    /// For hosts that know success and failure only.
    pub const fn coarse(self) -> Self {
        match self {
            Self::Succeeded => Self::Succeeded,
            _ => Self::Failed,
        }
    }

    /// The verdict on both: the first that is no success.
    pub const fn and(self, next: Self) -> Self {
        match self {
            Self::Succeeded => next,
            failure => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_names_its_verdict_and_0_is_success() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::of_digit(verdict.digit()), Some(verdict));
        }
        assert_eq!(Verdict::Succeeded.digit(), b'0');
        assert_eq!(Verdict::Unknown.coarse().digit(), b'1');
        assert_eq!(Verdict::of_digit(b'9'), None);
    }

    #[test]
    fn the_first_failure_decides() {
        let (fine, unknown) = (Verdict::Succeeded, Verdict::Unknown);
        assert_eq!(fine.and(unknown).and(Verdict::Failed), unknown);
        assert_eq!(fine.and(fine), fine);
    }
}
