//! The start of a TPM: switched on, tested, asked who it is.

use super::job::{Answer, TpmError};
use super::procedure::{Came, Next, Outgoing};
use crate::drivers::tpm::codec::capability::{
    Asked, Banks, GetCapability, IDENTITY_PROPERTIES, Identity, MANUFACTURER,
};
use crate::drivers::tpm::codec::packet::ResponseParts;
use crate::drivers::tpm::codec::response_code::ResponseCode;
use crate::drivers::tpm::codec::simple::{SelfTest, Startup};

#[derive(Default)]
pub struct Start {
    stage: Stage,
    pub identity: Identity,
    pub banks: Banks,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Begin,
    SwitchOn,
    Test,
    Identity,
    Banks,
}

impl Start {
    pub fn step(&mut self, came: Came<'_>, out: &mut Outgoing<'_>) -> Next {
        let Some(came) = came else {
            self.stage = Stage::SwitchOn;
            return out.plain(&Startup { is_clear: true });
        };
        match self.on_answer(came) {
            Ok(Stage::Test) => out.plain(&SelfTest { is_full: true }),
            Ok(Stage::Identity) => out.plain(&GetCapability(Asked::Properties {
                first: MANUFACTURER,
                count: IDENTITY_PROPERTIES,
            })),
            Ok(Stage::Banks) => out.plain(&GetCapability(Asked::Pcrs)),
            // Nobody asked for it, so nobody gets the answer.
            Ok(Stage::Begin | Stage::SwitchOn) => Next::End(Ok(Answer::Extended)),
            Err(error) => error.into(),
        }
    }

    /// What comes next; `Begin` when all is known.
    fn on_answer(&mut self, came: Result<ResponseParts<'_>, TpmError>) -> Result<Stage, TpmError> {
        self.stage = match self.stage {
            Stage::Begin | Stage::SwitchOn => {
                // Firmware that came first has started it already.
                passed_over(came, ResponseCode::INITIALIZE)?;
                Stage::Test
            }
            Stage::Test => {
                // It goes on testing by itself; commands that need the tests wait.
                passed_over(came, ResponseCode::TESTING)?;
                Stage::Identity
            }
            Stage::Identity => {
                self.identity = Identity::parse(came?.parameters)?;
                Stage::Banks
            }
            Stage::Banks => {
                self.banks = Banks::parse(came?.parameters)?;
                Stage::Begin
            }
        };
        Ok(self.stage)
    }
}

/// Success, or a refusal that is as good.
fn passed_over(
    came: Result<ResponseParts<'_>, TpmError>,
    good: ResponseCode,
) -> Result<(), TpmError> {
    match came {
        Ok(_) => Ok(()),
        Err(TpmError::Refused { code, .. }) if code == good => Ok(()),
        Err(error) => Err(error),
    }
}
