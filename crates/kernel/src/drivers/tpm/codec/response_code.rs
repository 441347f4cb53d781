//! Response codes as sentences (TPM 2.0 Library, part 2, 6.6).

use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponseCode(pub u32);

/// Bit 7: an error number in bits 0 to 5, and what it is about in bits 6 and 8 to 11.
const FORMAT_ONE: u32 = 1 << 7;
const FORMAT_ONE_MASK: u32 = 0xbf;
const IS_PARAMETER: u32 = 1 << 6;
const IS_SESSION: u32 = 1 << 11;

/// What a refusal is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    Parameter(u32),
    Handle(u32),
    Session(u32),
}

impl ResponseCode {
    pub const SUCCESS: Self = Self(0);
    pub const BAD_TAG: Self = Self(0x01e);
    pub const INITIALIZE: Self = Self(0x100);
    pub const FAILURE: Self = Self(0x101);
    pub const DISABLED: Self = Self(0x120);
    pub const AUTH_MISSING: Self = Self(0x125);
    pub const COMMAND_SIZE: Self = Self(0x142);
    pub const COMMAND_CODE: Self = Self(0x143);
    pub const NV_RANGE: Self = Self(0x146);
    pub const NV_LOCKED: Self = Self(0x148);
    pub const NV_AUTHORIZATION: Self = Self(0x149);
    pub const NV_UNINITIALIZED: Self = Self(0x14a);
    pub const NV_SPACE: Self = Self(0x14b);
    pub const NV_DEFINED: Self = Self(0x14c);
    pub const VALUE: Self = Self(0x084);
    pub const HIERARCHY: Self = Self(0x085);
    pub const HANDLE: Self = Self(0x08b);
    pub const AUTH_FAIL: Self = Self(0x08e);
    pub const SIZE: Self = Self(0x095);
    pub const BAD_AUTH: Self = Self(0x0a2);
    pub const OBJECT_MEMORY: Self = Self(0x902);
    pub const SESSION_MEMORY: Self = Self(0x903);
    pub const MEMORY: Self = Self(0x904);
    pub const SESSION_HANDLES: Self = Self(0x905);
    pub const OBJECT_HANDLES: Self = Self(0x906);
    pub const LOCALITY: Self = Self(0x907);
    pub const YIELDED: Self = Self(0x908);
    pub const CANCELED: Self = Self(0x909);
    pub const TESTING: Self = Self(0x90a);
    pub const NV_RATE: Self = Self(0x920);
    pub const LOCKOUT: Self = Self(0x921);
    pub const RETRY: Self = Self(0x922);
    pub const NV_UNAVAILABLE: Self = Self(0x923);

    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// Without what it is about.
    pub const fn kind(self) -> Self {
        match self.0 & FORMAT_ONE != 0 {
            true => Self(self.0 & FORMAT_ONE_MASK),
            false => self,
        }
    }

    pub const fn subject(self) -> Option<Subject> {
        if self.0 & FORMAT_ONE == 0 {
            return None;
        }
        let number = self.0 >> 8;
        Some(
            match (self.0 & IS_PARAMETER != 0, self.0 & IS_SESSION != 0) {
                (true, _) => Subject::Parameter(number & 0xf),
                (false, true) => Subject::Session(number & 7),
                (false, false) => Subject::Handle(number & 7),
            },
        )
    }

    /// A code about the handle of this number, counted from 1.
    pub const fn about_handle(self, number: u32) -> Self {
        Self(self.0 | number << 8)
    }

    pub const fn about_session(self, number: u32) -> Self {
        Self(self.0 | IS_SESSION | number << 8)
    }

    pub const fn about_parameter(self, number: u32) -> Self {
        Self(self.0 | IS_PARAMETER | number << 8)
    }

    /// Does the same command go through when it is sent again a little later?
    pub fn is_passing(self) -> bool {
        [Self::RETRY, Self::YIELDED, Self::TESTING, Self::NV_RATE].contains(&self)
    }

    pub fn is_wrong_secret(self) -> bool {
        [Self::AUTH_FAIL, Self::BAD_AUTH].contains(&self.kind())
    }

    /// What it means, and what the user can do.
    fn sentence(self) -> Option<&'static str> {
        Some(match self.kind() {
            Self::BAD_TAG => "the TPM is of version 1.2; switch it to 2.0 in the firmware's setup",
            Self::INITIALIZE => "the TPM was reset and lost its PCRs; restart the machine",
            Self::FAILURE => "the TPM is in failure mode; switch the machine off and on",
            Self::DISABLED => "the TPM has this switched off; see the firmware's setup",
            Self::AUTH_MISSING => "the TPM wants an authorisation; set tpm-owner=",
            Self::AUTH_FAIL | Self::BAD_AUTH => {
                "wrong owner authorisation; correct tpm-owner= in the configuration"
            }
            Self::LOCKOUT => {
                "the TPM is locked after wrong authorisations; wait, or reset it with tpm2_dictionarylockout"
            }
            Self::COMMAND_CODE => "the TPM does not know this command",
            Self::NV_LOCKED => "the NV index is locked; restart the machine to unlock it",
            Self::NV_AUTHORIZATION => "the NV index does not let the owner do that",
            Self::NV_UNINITIALIZED => {
                "nothing was written to the NV index yet; store something first"
            }
            Self::NV_SPACE => "the TPM's NV memory is full; remove an index with tpm2_nvundefine",
            Self::NV_DEFINED => "the NV index exists already; try again",
            Self::NV_RANGE => {
                "the NV index is smaller than what is stored; remove it and store anew"
            }
            Self::NV_RATE => "the TPM slows down NV writes; try again in a minute",
            Self::NV_UNAVAILABLE => "the TPM's NV memory is not to be had now; try again",
            Self::HANDLE => "there is nothing with this handle in the TPM; store something first",
            Self::HIERARCHY => "the TPM's hierarchy is switched off; see the firmware's setup",
            Self::OBJECT_MEMORY | Self::OBJECT_HANDLES | Self::MEMORY => {
                "the TPM has no room for a key; restart the machine"
            }
            Self::SESSION_MEMORY | Self::SESSION_HANDLES => {
                "the TPM has no room for a session; restart the machine"
            }
            Self::LOCALITY => "the TPM does not allow that from the operating system",
            Self::SIZE => "the TPM finds a field too long; use a shorter nonce",
            Self::YIELDED | Self::RETRY | Self::TESTING => "the TPM is busy; try again",
            Self::CANCELED => "the TPM gave up the command; try again",
            _ => return None,
        })
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sentence() {
            Some(sentence) => f.write_str(sentence)?,
            None => f.write_str("the TPM refuses")?,
        }
        write!(f, " (code {:#05x}", self.0)?;
        match self.subject() {
            Some(Subject::Parameter(number)) => write!(f, ", parameter {number}")?,
            Some(Subject::Handle(number)) => write!(f, ", handle {number}")?,
            Some(Subject::Session(number)) => write!(f, ", session {number}")?,
            None => {}
        }
        f.write_str(")")
    }
}
