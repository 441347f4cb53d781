//! The options of a message: a checked walk over its up to three fields.
//!
//! Options stand in the options field and, where option 52 says so, in `file` and
//! `sname` (RFC 2132 9.3). Parts of one option are joined in that order (RFC 3396).

use super::counters::{Flaw, Flaws};
use crate::base::fixed::Vec;
use crate::limits::DHCP_OPTION_BYTES_MAX;

/// The numbers of RFC 2132 and its successors that are read or written here.
pub mod code {
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTERS: u8 = 3;
    pub const NAME_SERVERS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const INTERFACE_MTU: u8 = 26;
    pub const BROADCAST_ADDRESS: u8 = 28;
    pub const TIME_SERVERS: u8 = 42;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETER_LIST: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const MESSAGE_BYTES_MAX: u8 = 57;
    pub const RENEW_TIME: u8 = 58;
    pub const REBIND_TIME: u8 = 59;
    pub const VENDOR_CLASS: u8 = 60;
    pub const CLIENT_ID: u8 = 61;
    pub const RAPID_COMMIT: u8 = 80;
    pub const DOMAIN_SEARCH: u8 = 119;
    pub const ROUTES: u8 = 121;
    pub const END: u8 = 255;
}

/// The bytes of one option, its parts joined.
pub type Value = Vec<u8, DHCP_OPTION_BYTES_MAX>;

/// Fields whose every option lies inside of its field.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    fields: [&'a [u8]; 3],
}

impl<'a> Options<'a> {
    /// Checks the lengths of all options; a message with a wrong one is not to be trusted.
    pub fn new_checked(
        options: &'a [u8],
        file: &'a [u8],
        server_name: &'a [u8],
        flaws: &mut Flaws,
    ) -> Result<Self, Flaw> {
        let mut fields = [options, &[], &[]];
        check(options)?;
        for value in values(options, code::OVERLOAD) {
            match value {
                [1] => fields = [options, file, &[]],
                [2] => fields = [options, &[], server_name],
                [3] => fields = [options, file, server_name],
                _ => flaws.count(Flaw::Overload),
            }
        }
        for field in &fields[1..] {
            check(field)?;
            // It opens nothing there: each field is walked once, whatever it says.
            if values(field, code::OVERLOAD).next().is_some() {
                flaws.count(Flaw::Overload);
            }
        }
        Ok(Self { fields })
    }

    /// The option's value; `None` when the message has none, or one that is too long.
    pub fn value(&self, code: u8, flaws: &mut Flaws) -> Option<Value> {
        let mut joined: Option<Value> = None;
        for field in self.fields {
            for part in values(field, code) {
                let joined = joined.get_or_insert_with(Value::new);
                if joined.extend_from_slice(part).is_err() {
                    flaws.count(Flaw::OptionTooLong);
                    return None;
                }
            }
        }
        joined
    }

    /// The value of an option that always has `N` bytes; any other length is counted.
    pub fn array<const N: usize>(&self, code: u8, flaws: &mut Flaws) -> Option<[u8; N]> {
        let value = self.value(code, flaws)?;
        let array = value[..].try_into();
        if array.is_err() {
            flaws.count(Flaw::OptionLength);
        }
        array.ok()
    }
}

fn check(field: &[u8]) -> Result<(), Flaw> {
    let mut walk = Walk { rest: field };
    while let Some(option) = walk.next_option() {
        option?;
    }
    Ok(())
}

/// The values of one option in a field that was checked.
fn values(field: &[u8], code: u8) -> impl Iterator<Item = &[u8]> {
    let mut walk = Walk { rest: field };
    core::iter::from_fn(move || walk.next_option()?.ok())
        .filter(move |(found, _)| *found == code)
        .map(|(_, value)| value)
}

struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// The end of the field is as good as the option that marks the end: servers forget it.
    fn next_option(&mut self) -> Option<Result<(u8, &'a [u8]), Flaw>> {
        loop {
            let (code, rest) = self.rest.split_first()?;
            match *code {
                code::END => return None,
                code::PAD => self.rest = rest,
                code => return Some(self.take(code, rest)),
            }
        }
    }

    fn take(&mut self, code: u8, rest: &'a [u8]) -> Result<(u8, &'a [u8]), Flaw> {
        // Nothing comes behind a mistake.
        self.rest = &[];
        let (length, rest) = rest.split_first().ok_or(Flaw::OptionTruncated)?;
        let parts = rest.split_at_checked(usize::from(*length));
        let (value, rest) = parts.ok_or(Flaw::OptionTruncated)?;
        self.rest = rest;
        Ok((code, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked<'a>(options: &'a [u8], file: &'a [u8], name: &'a [u8]) -> Options<'a> {
        Options::new_checked(options, file, name, &mut Flaws::default()).unwrap()
    }

    #[test]
    fn parts_of_an_option_are_joined_over_all_fields_in_their_order() {
        let options = [15, 2, b'a', b'b', 0, 52, 1, 3, 15, 1, b'c', 255, 15, 9];
        let (file, name) = ([15, 1, b'd', 255], [0, 15, 1, b'e']);
        let options = checked(&options, &file, &name);
        let value = options.value(15, &mut Flaws::default()).unwrap();
        assert_eq!(&value[..], b"abcde");
    }

    #[test]
    fn fields_that_are_not_opened_are_not_read() {
        let name = [15, 1, b'e'];
        assert!(
            checked(&[255], &name, &name)
                .value(15, &mut Flaws::default())
                .is_none()
        );
        let only_name = [52, 1, 2];
        let options = checked(&only_name, &[15, 200], &name);
        assert_eq!(&options.value(15, &mut Flaws::default()).unwrap()[..], b"e");
    }

    #[test]
    fn an_option_over_the_end_of_its_field_spoils_the_message() {
        for options in [
            &[53][..],
            &[53, 1],
            &[1, 4, 255, 255, 0],
            &[0, 0, 12, 255, 0],
        ] {
            let checked = Options::new_checked(options, &[], &[], &mut Flaws::default());
            assert_eq!(checked.err(), Some(Flaw::OptionTruncated), "{options:?}");
        }
        let opened = Options::new_checked(&[52, 1, 1], &[15, 9], &[], &mut Flaws::default());
        assert_eq!(opened.err(), Some(Flaw::OptionTruncated));
    }

    #[test]
    fn an_overload_inside_of_an_opened_field_opens_nothing() {
        let mut flaws = Flaws::default();
        let file = [52, 1, 2, 255];
        let name = [15, 1, b'x'];
        let options = Options::new_checked(&[52, 1, 1], &file, &name, &mut flaws).unwrap();
        assert!(options.value(15, &mut flaws).is_none());
        assert_eq!(flaws.of(Flaw::Overload), 1);
        let wrong = Options::new_checked(&[52, 1, 4, 52, 2, 1, 1], &[], &[], &mut flaws);
        assert!(wrong.is_ok());
        assert_eq!(flaws.of(Flaw::Overload), 3);
    }

    #[test]
    fn a_value_that_is_too_long_or_of_a_wrong_length_is_counted_and_none() {
        let mut flaws = Flaws::default();
        let mut long = std::vec::Vec::new();
        for _ in 0..3 {
            long.extend([15, 255]);
            long.extend([b'x'; 255]);
        }
        assert!(checked(&long, &[], &[]).value(15, &mut flaws).is_none());
        assert_eq!(flaws.of(Flaw::OptionTooLong), 1);
        let doubled = [51, 4, 0, 0, 0, 1, 51, 4, 0, 0, 0, 2];
        let found = checked(&doubled, &[], &[]).array::<4>(51, &mut flaws);
        assert_eq!((found, flaws.of(Flaw::OptionLength)), (None, 1));
    }
}
