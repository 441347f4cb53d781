//! Who owns what is counted and limited: the kernel or one of its guests.

use crate::limits::TENANTS_MAX;
use core::fmt;

/// A tenant's number; 0 is the kernel itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tenant(u8);

impl Tenant {
    pub const KERNEL: Self = Self(0);

    /// `None` when there is no tenant of that number.
    pub const fn new(number: usize) -> Option<Self> {
        if number < TENANTS_MAX {
            Some(Self(number as u8))
        } else {
            None
        }
    }

    /// Its place in a table of tenants.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (0..TENANTS_MAX).filter_map(Self::new)
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_tenants_as_the_table_has_places() {
        assert_eq!(Tenant::all().count(), TENANTS_MAX);
        assert_eq!(Tenant::new(TENANTS_MAX), None);
        assert_eq!(Tenant::new(0), Some(Tenant::KERNEL));
    }
}
