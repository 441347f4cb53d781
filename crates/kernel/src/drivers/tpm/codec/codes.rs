//! Numbers of commands, handles, tags and algorithms.

/// What a command does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandCode {
    NvUndefineSpace,
    NvDefineSpace,
    CreatePrimary,
    NvWrite,
    SelfTest,
    Startup,
    Shutdown,
    NvRead,
    Quote,
    FlushContext,
    NvReadPublic,
    StartAuthSession,
    GetCapability,
    GetRandom,
    PcrRead,
    PcrExtend,
}

use CommandCode::*;

/// Each with its number and its name in the standard.
const CODES: [(CommandCode, u32, &str); 16] = [
    (NvUndefineSpace, 0x122, "NV_UndefineSpace"),
    (NvDefineSpace, 0x12a, "NV_DefineSpace"),
    (CreatePrimary, 0x131, "CreatePrimary"),
    (NvWrite, 0x137, "NV_Write"),
    (SelfTest, 0x143, "SelfTest"),
    (Startup, 0x144, "Startup"),
    (Shutdown, 0x145, "Shutdown"),
    (NvRead, 0x14e, "NV_Read"),
    (Quote, 0x158, "Quote"),
    (FlushContext, 0x165, "FlushContext"),
    (NvReadPublic, 0x169, "NV_ReadPublic"),
    (StartAuthSession, 0x176, "StartAuthSession"),
    (GetCapability, 0x17a, "GetCapability"),
    (GetRandom, 0x17b, "GetRandom"),
    (PcrRead, 0x17e, "PCR_Read"),
    (PcrExtend, 0x182, "PCR_Extend"),
];

impl CommandCode {
    pub fn number(self) -> u32 {
        let row = CODES.iter().find(|(code, ..)| *code == self);
        row.map_or(0, |(_, number, _)| *number)
    }

    pub fn name(self) -> &'static str {
        let row = CODES.iter().find(|(code, ..)| *code == self);
        row.map_or("?", |(.., name)| name)
    }

    pub fn from_number(number: u32) -> Option<Self> {
        let row = CODES.iter().find(|(_, own, _)| *own == number)?;
        Some(row.0)
    }
}

pub mod tag {
    pub const NO_SESSIONS: u16 = 0x8001;
    pub const SESSIONS: u16 = 0x8002;
    /// Of an attestation of PCRs.
    pub const ATTEST_QUOTE: u16 = 0x8018;
    /// Of the ticket that says how a key was made.
    pub const CREATION: u16 = 0x8021;
}

pub mod handle {
    pub const OWNER: u32 = 0x4000_0001;
    pub const NULL: u32 = 0x4000_0007;
    /// A password in place of a session.
    pub const PASSWORD: u32 = 0x4000_0009;
    pub const ENDORSEMENT: u32 = 0x4000_000b;
    /// The first byte of sessions that are authorised by HMAC.
    pub const HMAC_SESSION: u8 = 0x02;
    /// The first byte of keys that are loaded for a while.
    pub const TRANSIENT: u8 = 0x80;
    /// The first byte of NV indices.
    pub const NV_INDEX: u8 = 0x01;
}

pub mod algorithm {
    pub const SHA1: u16 = 0x0004;
    pub const SHA256: u16 = 0x000b;
    pub const SHA384: u16 = 0x000c;
    pub const SHA512: u16 = 0x000d;
    pub const NULL: u16 = 0x0010;
    pub const ECDSA: u16 = 0x0018;
    pub const ECC: u16 = 0x0023;
}

pub mod curve {
    pub const NIST_P256: u16 = 0x0003;
}
