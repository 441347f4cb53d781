//! A place for a value that comes later: until then nothing but zeros.
//!
//! `Option` may say "none" by any byte of the value, and then all of a large static stands in
//! the kernel's file, is loaded, and is measured before the first step of boot. Here a byte
//! of its own says it, as 0, so the static lies in memory that begins as zeros.

/// Like an `Option`, but all zeros while it is empty.
#[repr(u8)]
pub enum Late<T> {
    Absent = 0,
    Present(T) = 1,
}

impl<T> Late<T> {
    pub const fn new() -> Self {
        Self::Absent
    }

    pub fn set(&mut self, value: T) {
        *self = Self::Present(value);
    }

    /// Leaves it empty.
    pub fn take(&mut self) -> Option<T> {
        match core::mem::replace(self, Self::Absent) {
            Self::Absent => None,
            Self::Present(value) => Some(value),
        }
    }

    pub const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Present(value) => Some(value),
        }
    }

    pub const fn as_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Absent => None,
            Self::Present(value) => Some(value),
        }
    }
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_from_its_setting_to_its_taking() {
        let mut late = Late::new();
        assert_eq!(late.take(), None);
        late.set(1);
        late.as_mut().into_iter().for_each(|value| *value += 1);
        assert_eq!(late.as_ref(), Some(&2));
        assert_eq!((late.take(), late.take()), (Some(2), None));
    }
}
