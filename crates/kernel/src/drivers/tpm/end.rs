//! The last word to a TPM, before the machine restarts or is switched off.
//!
//! Limits: it waits, for `PATIENCE` at most; nothing else goes on in the machine by then.

use crate::base::time::{Duration, Instant};
use crate::base::tpm::{TpmFault, TpmPort};
use crate::drivers::tpm::codec::packet::{Response, emit};
use crate::drivers::tpm::codec::session::Authorisation;
use crate::drivers::tpm::codec::simple::Shutdown;

/// Far longer than it takes, and far shorter than the watchdog's patience.
pub const PATIENCE: Duration = Duration::from_millis(1000);
/// More than the command and its answer; what else is answered is not wanted any more.
const BYTES_MAX: usize = 64;

/// Tells the TPM that its power goes (TPM 2.0 Library, part 3, 9.4); true when it has heard.
///
/// A TPM that is not told may count the end as a wrong guess of a secret. What is under way is
/// waited for, because a TPM does one thing at a time.
pub fn shut_down(port: &mut dyn TpmPort, now: &mut dyn FnMut() -> Instant) -> bool {
    let (mut command, mut answer) = ([0; BYTES_MAX], [0; BYTES_MAX]);
    let request = Shutdown { is_clear: true };
    let length = emit(&request, &mut Authorisation::None, &mut command).unwrap_or_default();
    let mut time = now();
    let until = time + PATIENCE;
    let mut is_sent = false;
    while time < until {
        if !is_sent {
            match port.send(time, &command[..length]) {
                Ok(()) => is_sent = true,
                Err(TpmFault::Busy) => {}
                Err(_) => return false,
            }
        }
        match port.poll(time, &mut answer) {
            Some(result) if is_sent => return result.is_ok_and(|bytes| is_good(&answer, bytes)),
            _ => core::hint::spin_loop(),
        }
        time = now();
    }
    false
}

fn is_good(answer: &[u8], bytes: usize) -> bool {
    let response = Response::new_checked(answer.get(..bytes).unwrap_or_default());
    response.is_ok_and(|response| response.code.is_success())
}
