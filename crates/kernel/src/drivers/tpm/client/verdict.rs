//! What an answer means: go on, once more, give up.

use super::job::TpmError;
use super::procedure::Pending;
use crate::base::time::Duration;
use crate::drivers::tpm::codec::codes::CommandCode;
use crate::drivers::tpm::codec::packet::{Response, ResponseParts};
use crate::drivers::tpm::codec::response_code::ResponseCode;

/// How often a command is sent again because the TPM says that it is busy.
pub const RETRIES_MAX: u32 = 16;
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(10);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(1000);

/// Cuts an answer into its parts, or says what is wrong with it.
pub fn judge(pending: Pending, bytes: &[u8]) -> Result<ResponseParts<'_>, TpmError> {
    let response = Response::new_checked(bytes)?;
    if !response.code.is_success() {
        return Err(TpmError::Refused {
            command: pending.code,
            code: response.code,
        });
    }
    Ok(response.parts(pending.answer_handles)?)
}

/// A self test that goes on by itself is not asked for again, or it began anew.
pub fn may_repeat(pending: Pending, code: ResponseCode, retries: u32) -> bool {
    let is_testing = code == ResponseCode::TESTING && pending.code == CommandCode::SelfTest;
    code.is_passing() && !is_testing && retries < RETRIES_MAX
}

pub fn pause(retries: u32) -> Duration {
    let nanos = RETRY_PAUSE_MIN.as_nanos() << retries.min(10);
    Duration::from_nanos(nanos).min(RETRY_PAUSE_MAX)
}

/// Is there no use in going on?
pub fn is_end(error: &TpmError) -> bool {
    match error {
        TpmError::Refused { code, .. } => [
            ResponseCode::FAILURE,
            ResponseCode::INITIALIZE,
            ResponseCode::BAD_TAG,
        ]
        .contains(code),
        _ => false,
    }
}
