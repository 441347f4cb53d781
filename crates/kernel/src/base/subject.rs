//! Who asks: the kernel, a tenant, a console, or a client by HTTP.

use crate::base::tenant::Tenant;
use crate::limits::{CONSOLES_MAX, SUBJECT_TENANTS_MAX, SUBJECTS_MAX, TENANTS_MAX};
use core::fmt;

/// Somebody whose rights are looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// Tenant 0 is the kernel itself.
    Tenant(Tenant),
    /// Whoever sits at the console of that index.
    Console(Seat),
    /// A client that has shown the token.
    Api,
    /// A client of the machine's own host that has shown none.
    Visitor,
}

/// The index of a console.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seat(u8);

const CONSOLE_NAMES: [&str; CONSOLES_MAX] = ["serial", "screen", "display", "console"];
const _: () = assert!(TENANTS_MAX <= SUBJECT_TENANTS_MAX);
const _: () = assert!(SUBJECT_TENANTS_MAX + CONSOLES_MAX + 2 <= SUBJECTS_MAX);

impl Subject {
    pub const KERNEL: Self = Self::Tenant(Tenant::KERNEL);

    /// `None` when there is no console of that index.
    pub const fn console(index: usize) -> Option<Self> {
        match index < CONSOLES_MAX {
            true => Some(Self::Console(Seat(index as u8))),
            false => None,
        }
    }

    /// Its place in a table of `SUBJECTS_MAX` subjects.
    pub const fn index(self) -> usize {
        match self {
            Self::Tenant(tenant) => tenant.index(),
            Self::Console(Seat(index)) => SUBJECT_TENANTS_MAX + index as usize,
            Self::Api => SUBJECT_TENANTS_MAX + CONSOLES_MAX,
            Self::Visitor => SUBJECT_TENANTS_MAX + CONSOLES_MAX + 1,
        }
    }

    /// Everybody there can be.
    pub fn all() -> impl Iterator<Item = Self> {
        let consoles = (0..CONSOLES_MAX).filter_map(Self::console);
        Tenant::all()
            .map(Self::Tenant)
            .chain(consoles)
            .chain([Self::Api, Self::Visitor])
    }

    /// A person's name for it; a tenant may be written as its number alone.
    pub fn parse(word: &str) -> Option<Self> {
        let number = word.strip_prefix("tenant-").unwrap_or(word);
        if let Ok(number) = number.parse() {
            return Tenant::new(number).map(Self::Tenant);
        }
        Self::all().find(|subject| subject.fixed_name() == Some(word))
    }

    const fn fixed_name(self) -> Option<&'static str> {
        match self {
            Self::Tenant(tenant) if tenant.index() == 0 => Some("kernel"),
            Self::Tenant(_) => None,
            Self::Console(Seat(index)) => Some(CONSOLE_NAMES[index as usize]),
            Self::Api => Some("api"),
            Self::Visitor => Some("visitor"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.fixed_name(), self) {
            (None, Self::Tenant(tenant)) => write!(f, "tenant-{tenant}"),
            (name, _) => f.write_str(name.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::string::ToString;

    #[test]
    fn every_subject_has_a_place_and_a_name_of_its_own() {
        let all = Subject::all();
        let places: BTreeSet<usize> = all.map(Subject::index).collect();
        assert_eq!(places.len(), Subject::all().count());
        assert!(places.iter().all(|place| *place < SUBJECTS_MAX));
        for subject in Subject::all() {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
        }
        assert_eq!(Subject::parse("0"), Some(Subject::KERNEL));
        for stranger in ["", "root", "tenant-", "tenant-64", "8", "-1"] {
            assert_eq!(Subject::parse(stranger), None, "{stranger}");
        }
    }
}
