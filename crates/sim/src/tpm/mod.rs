//! A simulated TPM: a SHA-256 bank, random bytes, NV memory, the owner's sessions.
//!
//! It speaks commands, not registers, and cannot quote. It says of itself that it is
//! simulated: interface `simulated`, manufacturer `SIM`.

mod memory;
mod owner;

use memory::Memory;
use owner::Owner;
use rayos_kernel::base::digest::{Digest, sha256};
use rayos_kernel::base::fixed::Vec as FixedVec;
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::base::tpm::{TpmFacts, TpmFault, TpmPort};
use rayos_kernel::drivers::tpm::codec::bytes::{Malformed, Writer};
use rayos_kernel::drivers::tpm::codec::capability::{
    Asked, GetCapability, emit_banks, emit_properties,
};
use rayos_kernel::drivers::tpm::codec::codes::{CommandCode, handle, tag};
use rayos_kernel::drivers::tpm::codec::nv::{
    NvDefineSpace, NvRead, NvReadPublic, NvUndefineSpace, NvWrite,
};
use rayos_kernel::drivers::tpm::codec::packet::{Command, Request, emit_refusal};
use rayos_kernel::drivers::tpm::codec::pcr::{
    DIGESTS_A_READ, PcrExtend, PcrRead, PcrSelection, PcrValues,
};
use rayos_kernel::drivers::tpm::codec::response_code::ResponseCode;
use rayos_kernel::drivers::tpm::codec::session::{AuthArea, StartAuthSession};
use rayos_kernel::drivers::tpm::codec::simple::{
    FlushContext, GetRandom, SelfTest, Shutdown, Startup,
};
use rayos_kernel::limits::TPM_MESSAGE_BYTES_MAX;

const PCRS: usize = 24;
const ALL_PCRS: u32 = (1 << PCRS) - 1;
/// Bytes of one answer with random ones, as in TPMs whose longest hash is SHA-256.
const RANDOM_BYTES_MAX: usize = 32;
/// When a transport gives up a TPM that stalls.
const PATIENCE: Duration = Duration::from_millis(5000);

/// What a simulated TPM is made with.
#[derive(Clone, Debug)]
pub struct TpmSettings {
    /// The owner's secret; empty for none.
    pub owner: String,
    /// From a command to its answer.
    pub latency: Duration,
    /// The number of the command, from 1 on, from which on it is in failure mode.
    pub fails_from: Option<u64>,
    /// The number of the command from which on nothing is answered.
    pub stalls_from: Option<u64>,
}

impl Default for TpmSettings {
    fn default() -> Self {
        Self {
            owner: String::new(),
            latency: Duration::from_millis(1),
            fails_from: None,
            stalls_from: None,
        }
    }
}

pub struct SimTpm {
    settings: TpmSettings,
    prng: Prng,
    is_started: bool,
    is_shut_down: bool,
    pcrs: [Digest; PCRS],
    update_counter: u32,
    memory: Memory,
    owner: Owner,
    commands: u64,
    faults: u64,
    /// What comes, and when.
    pending: Option<(Instant, Result<Vec<u8>, TpmFault>)>,
}

/// The inside of a good answer.
pub(crate) type Body = Result<Vec<u8>, ResponseCode>;

impl SimTpm {
    pub fn new(settings: TpmSettings, seed: u64) -> Self {
        Self {
            owner: Owner::new(settings.owner.as_bytes()),
            settings,
            prng: Prng::new(seed),
            is_started: false,
            is_shut_down: false,
            pcrs: [[0; 32]; PCRS],
            update_counter: 0,
            memory: Memory::default(),
            commands: 0,
            faults: 0,
            pending: None,
        }
    }

    /// Takes the power away and gives it back: only NV memory stays.
    pub fn restart(&mut self) {
        (self.is_started, self.is_shut_down) = (false, false);
        self.pcrs = [[0; 32]; PCRS];
        self.update_counter = 0;
        self.owner.forget_sessions();
        self.pending = None;
    }

    pub fn pcr(&self, pcr: usize) -> Option<Digest> {
        self.pcrs.get(pcr).copied()
    }

    /// Somebody else on the bus extends a register.
    pub fn extend_unseen(&mut self, pcr: usize, digest: &Digest) {
        self.pcrs[pcr] = sha256(&[&self.pcrs[pcr], digest]);
        self.update_counter += 1;
    }

    /// What is in an index, for tests that damage it.
    pub fn nv_mut(&mut self, index: u32) -> Option<&mut Vec<u8>> {
        self.memory.data_mut(index)
    }

    pub fn settings_mut(&mut self) -> &mut TpmSettings {
        &mut self.settings
    }

    /// Was it told that its power goes, and nothing since?
    pub const fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }

    pub const fn commands(&self) -> u64 {
        self.commands
    }

    /// The answer to a whole command.
    pub fn execute(&mut self, bytes: &[u8]) -> Vec<u8> {
        if let Some(from) = self.settings.fails_from
            && self.commands >= from
        {
            return refusal(ResponseCode::FAILURE);
        }
        let Ok(command) = Command::new_checked(bytes) else {
            return refusal(ResponseCode::COMMAND_SIZE);
        };
        let Some(code) = CommandCode::from_number(command.code) else {
            return refusal(ResponseCode::COMMAND_CODE);
        };
        if !self.is_started && code != CommandCode::Startup {
            return refusal(ResponseCode::INITIALIZE);
        }
        self.is_shut_down = false;
        self.carry_out(code, &command).unwrap_or_else(refusal)
    }

    fn carry_out(&mut self, code: CommandCode, command: &Command<'_>) -> Body {
        match code {
            CommandCode::Startup => self.startup(command),
            CommandCode::Shutdown => {
                parse::<Shutdown>(command)?;
                self.is_shut_down = true;
                Ok(plain(&[]))
            }
            CommandCode::SelfTest => parse::<SelfTest>(command).map(|_| plain(&[])),
            CommandCode::GetCapability => capability(command),
            CommandCode::GetRandom => self.random(command),
            CommandCode::PcrRead => self.pcr_read(command),
            CommandCode::PcrExtend => self.pcr_extend(command),
            CommandCode::NvReadPublic => {
                let (NvReadPublic { index }, _) = parse(command)?;
                self.memory.public(index).map(|body| plain(&body))
            }
            CommandCode::NvRead => {
                let (read, area) = parse::<NvRead>(command)?;
                self.open(area)?;
                self.memory.read(&read).map(|body| with_password(&body))
            }
            CommandCode::StartAuthSession => {
                let (StartAuthSession { nonce }, _) = parse(command)?;
                self.owner.start_session(nonce, self.prng.next_u64())
            }
            CommandCode::FlushContext => {
                let (FlushContext { handle }, _) = parse(command)?;
                self.owner.flush(handle).map(|()| plain(&[]))
            }
            CommandCode::NvDefineSpace => self
                .owned::<NvDefineSpace>(command, |memory, request| memory.define(request.public)),
            CommandCode::NvUndefineSpace => self
                .owned::<NvUndefineSpace>(command, |memory, request| {
                    memory.undefine(request.index)
                }),
            CommandCode::NvWrite => self.owned::<NvWrite<'_>>(command, Memory::write),
            CommandCode::CreatePrimary | CommandCode::Quote => Err(ResponseCode::COMMAND_CODE),
        }
    }

    fn startup(&mut self, command: &Command<'_>) -> Body {
        parse::<Startup>(command)?;
        match self.is_started {
            true => Err(ResponseCode::INITIALIZE),
            false => {
                self.is_started = true;
                Ok(plain(&[]))
            }
        }
    }

    fn random(&mut self, command: &Command<'_>) -> Body {
        let (GetRandom { bytes }, _) = parse(command)?;
        let mut random = vec![0; usize::from(bytes).min(RANDOM_BYTES_MAX)];
        self.prng.fill(&mut random);
        Ok(plain(&sized(&random)))
    }

    fn pcr_read(&mut self, command: &Command<'_>) -> Body {
        let (PcrRead { selection }, _) = parse(command)?;
        let mut values = FixedVec::new();
        let mut pcrs = 0;
        let is_here = selection.algorithm == PcrSelection::sha256(0).algorithm;
        for (pcr, value) in self.pcrs.iter().enumerate() {
            let is_wanted = is_here && selection.pcrs & 1 << pcr != 0;
            if is_wanted && values.len() < DIGESTS_A_READ && values.push(*value).is_ok() {
                pcrs |= 1 << pcr;
            }
        }
        let answer = PcrValues {
            update_counter: self.update_counter,
            selection: PcrSelection { pcrs, ..selection },
            values,
        };
        Ok(plain(&written(|out| answer.emit(out))))
    }

    fn pcr_extend(&mut self, command: &Command<'_>) -> Body {
        let (PcrExtend { pcr, digests }, area) = parse(command)?;
        self.open(area)?;
        let place = self.pcrs.get_mut(pcr as usize);
        let place = place.ok_or(ResponseCode::VALUE.about_handle(1))?;
        if let Some(digest) = digests.sha256 {
            *place = sha256(&[place, &digest]);
            self.update_counter += 1;
        }
        Ok(with_password(&[]))
    }

    /// What has no secret is open to everybody who gives an empty password.
    fn open(&self, area: Option<AuthArea<'_>>) -> Result<(), ResponseCode> {
        let area = area.ok_or(ResponseCode::AUTH_MISSING)?;
        match area.handle == handle::PASSWORD && area.hmac.is_empty() {
            true => Ok(()),
            false => Err(ResponseCode::BAD_AUTH.about_session(1)),
        }
    }

    /// What only the owner may do.
    fn owned<'a, R: Request<'a>>(
        &mut self,
        command: &Command<'a>,
        act: impl FnOnce(&mut Memory, R) -> Result<(), ResponseCode>,
    ) -> Body {
        let (request, _) = parse::<R>(command)?;
        let parts = command.parts(R::HANDLES).map_err(on_malformed)?;
        let area = parts.authorisation.ok_or(ResponseCode::AUTH_MISSING)?;
        let handles = &parts.handles[..R::HANDLES];
        if handles.first() != Some(&handle::OWNER) {
            return Err(ResponseCode::VALUE.about_handle(1));
        }
        let name = self.memory.name(handles.get(1).copied());
        let proof = self
            .owner
            .check(R::CODE, handles, &name, parts.parameters, &area)?;
        act(&mut self.memory, request)?;
        Ok(self.owner.sign(R::CODE, &proof, self.prng.next_u64()))
    }
}

fn capability(command: &Command<'_>) -> Body {
    const PROPERTIES: [(u32, u32); 4] = [
        (0x105, u32::from_be_bytes(*b"SIM\0")),
        (0x106, u32::from_be_bytes(*b"simu")),
        (0x107, u32::from_be_bytes(*b"late")),
        (0x108, u32::from_be_bytes(*b"d\0\0\0")),
    ];
    let (GetCapability(asked), _) = parse(command)?;
    let body = written(|out| match asked {
        Asked::Pcrs => emit_banks(&[PcrSelection::sha256(ALL_PCRS)], out),
        Asked::Properties { first, count } => {
            let end = first.saturating_add(count);
            let rows = PROPERTIES.into_iter();
            let rows: Vec<_> = rows.filter(|row| (first..end).contains(&row.0)).collect();
            emit_properties(&rows, out);
        }
    });
    Ok(plain(&body))
}

fn parse<'a, R: Request<'a>>(
    command: &Command<'a>,
) -> Result<(R, Option<AuthArea<'a>>), ResponseCode> {
    command.parse().map_err(on_malformed)
}

fn on_malformed(_: Malformed) -> ResponseCode {
    ResponseCode::SIZE.about_parameter(1)
}

fn refusal(code: ResponseCode) -> Vec<u8> {
    let mut bytes = [0; 16];
    let length = emit_refusal(code, &mut bytes).unwrap_or(0);
    bytes[..length].to_vec()
}

/// What `write` writes.
pub(crate) fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = vec![0; TPM_MESSAGE_BYTES_MAX];
    let mut out = Writer::new(&mut bytes);
    write(&mut out);
    let length = out.length();
    bytes.truncate(length);
    bytes
}

pub(crate) fn sized(bytes: &[u8]) -> Vec<u8> {
    written(|out| out.sized(bytes))
}

/// A good answer without sessions.
pub(crate) fn plain(body: &[u8]) -> Vec<u8> {
    written(|out| {
        out.u16(tag::NO_SESSIONS);
        out.u32((10 + body.len()) as u32);
        out.u32(0);
        out.bytes(body);
    })
}

/// A good answer with the session's part behind it.
pub(crate) fn with_session(body: &[u8], area: &AuthArea<'_>) -> Vec<u8> {
    let area = written(|out| area.emit_response(out));
    written(|out| {
        out.u16(tag::SESSIONS);
        out.u32((14 + body.len() + area.len()) as u32);
        out.u32(0);
        out.u32(body.len() as u32);
        out.bytes(body);
        out.bytes(&area);
    })
}

fn with_password(body: &[u8]) -> Vec<u8> {
    let area = AuthArea {
        handle: 0,
        nonce: &[],
        attributes: 1,
        hmac: &[],
    };
    with_session(body, &area)
}

impl TpmPort for SimTpm {
    fn facts(&self) -> TpmFacts {
        TpmFacts {
            interface: "simulated",
            vendor_id: 0,
            device_id: 0,
            revision: 0,
            is_gone: false,
            faults: self.faults,
        }
    }

    fn send(&mut self, now: Instant, command: &[u8]) -> Result<(), TpmFault> {
        if self.pending.is_some() {
            return Err(TpmFault::Busy);
        }
        self.commands += 1;
        let is_stalled = self
            .settings
            .stalls_from
            .is_some_and(|from| self.commands >= from);
        self.pending = Some(match is_stalled {
            true => {
                let waited_for = "answer";
                (now + PATIENCE, Err(TpmFault::TimedOut { waited_for }))
            }
            false => (now + self.settings.latency, Ok(self.execute(command))),
        });
        Ok(())
    }

    fn poll(&mut self, now: Instant, answer: &mut [u8]) -> Option<Result<usize, TpmFault>> {
        let (_, result) = self.pending.take_if(|(at, _)| *at <= now)?;
        let result = result.and_then(|bytes| match answer.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            None => Err(TpmFault::TooLong {
                bytes: bytes.len() as u64,
            }),
        });
        self.faults += u64::from(result.is_err());
        Some(result)
    }

    fn next_deadline(&self, _: Instant) -> Option<Instant> {
        self.pending.as_ref().map(|(at, _)| *at)
    }
}
