//! The table of a TPM (TCG ACPI Specification 1.4, 7.3): how it is reached, where its log is.

use super::tables::Table;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TpmTable {
    /// 6 and 7 are those of PCs: registers of their own, and a command buffer.
    pub start_method: u8,
    pub control_area: u64,
    /// Where the firmware's log begins, and the bytes that its area has.
    pub log: Option<(u64, u32)>,
}

pub fn parse(table: &Table) -> Option<TpmTable> {
    // An older table ends before the log's place.
    let log = table.u32_at(64).zip(table.u64_at(68));
    Some(TpmTable {
        start_method: u8::try_from(table.u32_at(48)?).ok()?,
        control_area: table.u64_at(40)?,
        log: log
            .filter(|(bytes, start)| *bytes != 0 && *start != 0)
            .map(|(bytes, start)| (start, bytes)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(length: usize) -> Option<TpmTable> {
        let mut bytes = b"TPM2\0\0\0\0".to_vec();
        bytes.resize(40, 0);
        bytes.extend(0xfed4_0040u64.to_le_bytes());
        bytes.extend(7u32.to_le_bytes());
        bytes.resize(64, 0);
        bytes.extend(0x1_0000u32.to_le_bytes());
        bytes.extend(0x7ff_0000u64.to_le_bytes());
        bytes.truncate(length);
        bytes[4] = length as u8;
        let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        bytes[9] = 0u8.wrapping_sub(sum);
        let bytes: &'static [u8] = bytes.leak();
        let read = |_: u64, length: usize| bytes.get(..length);
        parse(&Table::read(1, &read)?)
    }

    #[test]
    fn a_short_table_has_no_log_and_a_shorter_one_is_none() {
        let whole = table(76).unwrap();
        assert_eq!((whole.start_method, whole.control_area), (7, 0xfed4_0040));
        assert_eq!(whole.log, Some((0x7ff_0000, 0x1_0000)));
        assert_eq!(table(64), Some(TpmTable { log: None, ..whole }));
        assert_eq!(table(75), Some(TpmTable { log: None, ..whole }));
        assert_eq!(table(51), None);
    }
}
