//! The measurement log's bytes: TCG's crypto-agile format, read and written.
//!
//! PC Client Platform Firmware Profile, section 10: the first event is a
//! `TCG_PCR_EVENT` with a `Spec ID Event03` that lists the algorithms, all others
//! are `TCG_PCR_EVENT2` with a digest of each. What is read may come from a firmware
//! or from a file and is hostile.

use crate::base::fixed::Vec;
use crate::base::hash::{Algorithm, DIGEST_BYTES_MAX};

/// Is not extended: it says something about the log itself.
pub const EV_NO_ACTION: u32 = 3;
pub const EV_SEPARATOR: u32 = 4;
pub const EV_ACTION: u32 = 5;
/// What a boot loader measures; the event's data is a text.
pub const EV_IPL: u32 = 0x0d;

/// The name of a type of event (PC Client Platform Firmware Profile, table 27).
pub const fn kind_name(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0x0000_0001 => "EV_POST_CODE",
        EV_NO_ACTION => "EV_NO_ACTION",
        EV_SEPARATOR => "EV_SEPARATOR",
        EV_ACTION => "EV_ACTION",
        0x0000_0006 => "EV_EVENT_TAG",
        0x0000_0007 => "EV_S_CRTM_CONTENTS",
        0x0000_0008 => "EV_S_CRTM_VERSION",
        0x0000_000a => "EV_PLATFORM_CONFIG_FLAGS",
        0x0000_000b => "EV_TABLE_OF_DEVICES",
        EV_IPL => "EV_IPL",
        0x0000_000e => "EV_IPL_PARTITION_DATA",
        0x8000_0001 => "EV_EFI_VARIABLE_DRIVER_CONFIG",
        0x8000_0002 => "EV_EFI_VARIABLE_BOOT",
        0x8000_0003 => "EV_EFI_BOOT_SERVICES_APPLICATION",
        0x8000_0004 => "EV_EFI_BOOT_SERVICES_DRIVER",
        0x8000_0006 => "EV_EFI_GPT_EVENT",
        0x8000_0007 => "EV_EFI_ACTION",
        0x8000_0008 => "EV_EFI_PLATFORM_FIRMWARE_BLOB",
        0x8000_0009 => "EV_EFI_HANDOFF_TABLES",
        0x8000_000a => "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
        0x8000_000b => "EV_EFI_HANDOFF_TABLES2",
        0x8000_000c => "EV_EFI_VARIABLE_BOOT2",
        0x8000_00e0 => "EV_EFI_VARIABLE_AUTHORITY",
        _ => return None,
    })
}

const SPEC_ID: &[u8; 16] = b"Spec ID Event03\0";
/// Index, type, a SHA-1 digest and a length.
const LEGACY_HEADER_BYTES: usize = 4 + 4 + 20 + 4;
/// Class of a PC, version 2.0, 64-bit words.
const SPEC_VERSION: [u8; 8] = [0, 0, 0, 0, 0, 2, 0, 2];
/// Banks of one log; firmware has five at most.
const BANKS_MAX: usize = 8;
/// Longer data of one event is a lie: the largest are tables of partitions, a few KiB.
const DATA_BYTES_MAX: u32 = 64 * 1024;

/// The banks of a log, in its order; an algorithm that is not ours has its size only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Banks(Vec<(u16, u16), BANKS_MAX>);

/// Why bytes are no log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogError {
    /// It ends in the middle of something.
    Short,
    /// It does not begin with a specification of version 2.
    NotCryptoAgile,
    TooManyBanks,
    /// It lists no bank, or one whose digests have another size than the algorithm gives.
    WrongBanks,
    /// An event has a digest of an algorithm that the beginning does not list, or not one of each.
    WrongDigests,
    DataTooLong,
}

impl LogError {
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Short => "it ends in the middle of an event",
            Self::NotCryptoAgile => "it does not begin with Spec ID Event03",
            Self::TooManyBanks => "it has more banks than BANKS_MAX",
            Self::WrongBanks => "it lists no bank, or one with digests of a wrong size",
            Self::WrongDigests => "an event's digests are not those that the beginning lists",
            Self::DataTooLong => "an event's data is longer than 64 KiB",
        }
    }
}

/// One event of a log that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event<'a> {
    /// All of its bytes.
    pub raw: &'a [u8],
    pub pcr: u32,
    pub kind: u32,
    /// Algorithms and digests, as they stand in the log.
    digests: &'a [u8],
    pub data: &'a [u8],
}

/// Reads a log event by event; ends at its end or at the first error.
#[derive(Clone)]
pub struct Events<'a> {
    banks: Banks,
    rest: &'a [u8],
    is_broken: bool,
}

impl Banks {
    pub fn of(algorithms: &[Algorithm]) -> Self {
        let mut banks = Self::default();
        for algorithm in algorithms {
            let bank = (algorithm.id(), algorithm.digest_bytes() as u16);
            // There are fewer algorithms than places.
            let _ = banks.0.push(bank);
        }
        banks
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that this kernel can compute.
    pub fn known(&self) -> impl Iterator<Item = Algorithm> {
        self.0.iter().filter_map(|(id, _)| Algorithm::of_id(*id))
    }

    /// Can an event of ours have a digest of each of them?
    pub fn are_all_known(&self) -> bool {
        self.known().count() == self.0.len()
    }

    fn size_of(&self, id: u16) -> Option<usize> {
        let bank = self.0.iter().find(|(known, _)| *known == id)?;
        Some(usize::from(bank.1))
    }
}

impl<'a> Event<'a> {
    /// Its digest of that algorithm.
    pub fn digest(&self, banks: &Banks, algorithm: Algorithm) -> Option<&'a [u8]> {
        let mut rest = self.digests;
        while !rest.is_empty() {
            let id = take_u16(&mut rest).ok()?;
            let digest = take(&mut rest, banks.size_of(id)?).ok()?;
            if id == algorithm.id() {
                return Some(digest);
            }
        }
        None
    }

    /// Its data as far as it is text.
    pub fn text(&self) -> Option<&'a str> {
        let text = core::str::from_utf8(self.data).ok()?;
        let text = text.trim_end_matches('\0');
        text.chars().all(|c| !c.is_control()).then_some(text)
    }
}

/// Begins to read a log.
pub fn read(bytes: &[u8]) -> Result<Events<'_>, LogError> {
    let mut rest = bytes;
    let mut legacy = take(&mut rest, LEGACY_HEADER_BYTES)?;
    let (pcr, kind) = (take_u32(&mut legacy)?, take_u32(&mut legacy)?);
    take(&mut legacy, 20)?;
    let length = take_u32(&mut legacy)?;
    if pcr != 0 || kind != EV_NO_ACTION {
        return Err(LogError::NotCryptoAgile);
    }
    let mut header = take_data(&mut rest, length)?;
    if take(&mut header, SPEC_ID.len())? != SPEC_ID {
        return Err(LogError::NotCryptoAgile);
    }
    take(&mut header, SPEC_VERSION.len())?;
    Ok(Events::of(read_banks(&mut header)?, rest))
}

fn read_banks(header: &mut &[u8]) -> Result<Banks, LogError> {
    let mut banks = Banks::default();
    for _ in 0..take_u32(header)?.min(BANKS_MAX as u32 + 1) {
        let (id, size) = (take_u16(header)?, take_u16(header)?);
        let algorithm = Algorithm::of_id(id);
        let is_right = algorithm.is_none_or(|known| known.digest_bytes() == usize::from(size));
        if !is_right || usize::from(size) > DIGEST_BYTES_MAX {
            return Err(LogError::WrongBanks);
        }
        let kept = banks.0.push((id, size));
        kept.map_err(|_| LogError::TooManyBanks)?;
    }
    match banks.is_empty() {
        true => Err(LogError::WrongBanks),
        false => Ok(banks),
    }
}

impl<'a> Events<'a> {
    /// Of bytes without a beginning, whose banks are known from elsewhere.
    pub const fn of(banks: Banks, bytes: &'a [u8]) -> Self {
        Self {
            banks,
            rest: bytes,
            is_broken: false,
        }
    }

    pub const fn banks(&self) -> &Banks {
        &self.banks
    }

    /// Bytes that were not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn read_one(&mut self) -> Result<Event<'a>, LogError> {
        let whole = self.rest;
        let rest = &mut self.rest;
        let (pcr, kind) = (take_u32(rest)?, take_u32(rest)?);
        let count = take_u32(rest)?;
        if count as usize != self.banks.0.len() {
            return Err(LogError::WrongDigests);
        }
        let begin = *rest;
        for _ in 0..count {
            let id = take_u16(rest)?;
            let size = self.banks.size_of(id).ok_or(LogError::WrongDigests)?;
            take(rest, size)?;
        }
        let digests = &begin[..begin.len() - rest.len()];
        let length = take_u32(rest)?;
        let data = take_data(rest, length)?;
        Ok(Event {
            raw: &whole[..whole.len() - rest.len()],
            pcr,
            kind,
            digests,
            data,
        })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken || self.rest.is_empty() {
            return None;
        }
        let event = self.read_one();
        self.is_broken = event.is_err();
        Some(event)
    }
}

/// Writes the beginning of a log with these banks.
pub fn emit_beginning(banks: &[Algorithm], put: &mut dyn FnMut(&[u8])) {
    let data_bytes = SPEC_ID.len() + SPEC_VERSION.len() + 4 + 4 * banks.len() + 1;
    put(&0u32.to_le_bytes());
    put(&EV_NO_ACTION.to_le_bytes());
    put(&[0; 20]);
    put(&(data_bytes as u32).to_le_bytes());
    put(SPEC_ID);
    put(&SPEC_VERSION);
    put(&(banks.len() as u32).to_le_bytes());
    for bank in banks {
        put(&bank.id().to_le_bytes());
        put(&(bank.digest_bytes() as u16).to_le_bytes());
    }
    // No information of a vendor.
    put(&[0]);
}

/// Writes an event whose digest, in each bank, is that of its data.
pub fn emit(pcr: u8, kind: u32, data: &[u8], banks: &Banks, put: &mut dyn FnMut(&[u8])) {
    put(&u32::from(pcr).to_le_bytes());
    put(&kind.to_le_bytes());
    put(&(banks.len() as u32).to_le_bytes());
    for bank in banks.known() {
        put(&bank.id().to_le_bytes());
        put(bank.hash(&[data]).as_bytes());
    }
    put(&(data.len() as u32).to_le_bytes());
    put(data);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], LogError> {
    let (taken, others) = rest.split_at_checked(count).ok_or(LogError::Short)?;
    *rest = others;
    Ok(taken)
}

fn take_data<'a>(rest: &mut &'a [u8], length: u32) -> Result<&'a [u8], LogError> {
    match length > DATA_BYTES_MAX {
        true => Err(LogError::DataTooLong),
        false => take(rest, length as usize),
    }
}

fn take_u16(rest: &mut &[u8]) -> Result<u16, LogError> {
    let bytes = take(rest, 2)?.try_into();
    bytes.map(u16::from_le_bytes).map_err(|_| LogError::Short)
}

fn take_u32(rest: &mut &[u8]) -> Result<u32, LogError> {
    let bytes = take(rest, 4)?.try_into();
    bytes.map(u32::from_le_bytes).map_err(|_| LogError::Short)
}
