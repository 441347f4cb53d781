//! The words of an entry: how grave, what kind, what was done.

/// An enumeration whose members have names: in tables, in exports, and under the hash.
macro_rules! words {
    ($( $(#[$about:meta])* $type:ident { $( $(#[$note:meta])* $word:ident = $name:literal, )+ } )+) => { $(
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $type { $( $(#[$note])* $word, )+ }

        impl $type {
            pub const ALL: &'static [Self] = &[ $( Self::$word, )+ ];
            /// In the order of `ALL`.
            pub const NAMES: &'static [&'static str] = &[ $( $name, )+ ];

            pub const fn name(self) -> &'static str {
                Self::NAMES[self as usize]
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }
        }
    )+ };
}

words! {
    /// How grave it is; later ones are graver.
    Level {
        Debug = "debug",
        Info = "info",
        Notice = "notice",
        Warning = "warning",
        Error = "error",
        Critical = "critical",
    }
    /// What part of the machine's life it belongs to.
    Kind {
        Security = "security",
        Performance = "performance",
        System = "system",
        User = "user",
        Storage = "storage",
        Network = "network",
    }
    Verb {
        Boot = "boot",
        /// A line was typed; what becomes of its commands stands in entries of their own.
        Type = "type",
        Run = "run",
        /// What a command wanted was tried.
        Perform = "perform",
        /// A token was shown.
        LogIn = "log-in",
        /// Somebody is no longer listened to for a while.
        ShutOut = "shut-out",
        /// An operation on a device.
        Use = "use",
        SetQuota = "set-quota",
        /// The state of the TPM.
        Tpm = "tpm",
        Anchor = "anchor",
        Verify = "verify",
        /// A requirement began to be violated, or is no longer.
        Comply = "comply",
        /// The trail goes on where that of an earlier boot ended.
        Join = "join",
    }
    Outcome {
        Done = "done",
        Allowed = "allowed",
        Denied = "denied",
        Failed = "failed",
    }
}

impl Verb {
    /// Is a denial of it the denial of an operation, as the gate and the devices count them?
    pub const fn is_operation(self) -> bool {
        matches!(self, Self::Run | Self::Perform | Self::Use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_by_its_name_and_levels_rise() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.name()), Some(*level));
        }
        for verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.name()), Some(*verb));
        }
        assert_eq!((Kind::parse("Security"), Outcome::parse("")), (None, None));
        assert!(Level::ALL.is_sorted() && Level::Debug < Level::Critical);
    }
}
