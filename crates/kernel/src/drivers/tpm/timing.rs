//! How long a TPM may take (PC Client Platform TPM Profile, 6.5.1).

use crate::base::time::{Duration, Instant};
use crate::drivers::tpm::codec::codes::CommandCode;

/// To give a locality, and to take the next bytes.
pub const TIMEOUT_A: Duration = Duration::from_millis(750);
/// To get ready for a command, and to give one up.
pub const TIMEOUT_B: Duration = Duration::from_millis(2000);
/// For a register to become valid.
pub const TIMEOUT_C: Duration = Duration::from_millis(200);
/// For a device to be there at all, once there is power.
pub const TIMEOUT_D: Duration = Duration::from_millis(30);

/// The profile's 20 ms, 750 ms and 2 s are those of hardware with nothing else to do;
/// a TPM that is a process on a busy host needs longer.
const SHORT: Duration = Duration::from_millis(2000);
const MEDIUM: Duration = Duration::from_millis(5000);
const LONG: Duration = Duration::from_millis(60_000);

/// What a device that is waited for is asked again after: an eighth of the time that
/// it has taken so far, within these.
const PAUSE_MIN: Duration = Duration::from_micros(50);
const PAUSE_MAX: Duration = Duration::from_millis(10);

/// How long the command may take.
pub fn duration_max(command: &[u8]) -> Duration {
    let code = command.get(6..10).and_then(|code| code.try_into().ok());
    match code
        .map(u32::from_be_bytes)
        .and_then(CommandCode::from_number)
    {
        Some(
            CommandCode::GetCapability
            | CommandCode::GetRandom
            | CommandCode::PcrRead
            | CommandCode::PcrExtend
            | CommandCode::FlushContext
            | CommandCode::NvReadPublic,
        ) => SHORT,
        Some(
            CommandCode::Startup
            | CommandCode::Shutdown
            | CommandCode::StartAuthSession
            | CommandCode::NvRead
            | CommandCode::NvWrite
            | CommandCode::NvDefineSpace
            | CommandCode::NvUndefineSpace
            | CommandCode::Quote,
        ) => MEDIUM,
        Some(CommandCode::SelfTest | CommandCode::CreatePrimary) | None => LONG,
    }
}

/// When to ask again for what is waited for since then.
pub fn next_look(now: Instant, since: Instant) -> Instant {
    let eighth = Duration::from_nanos(now.since(since).as_nanos() / 8);
    now + eighth.clamp(PAUSE_MIN, PAUSE_MAX)
}
