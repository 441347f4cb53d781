//! Sessions: recorded HMACs are right, and every changed bit is noticed.

use super::goldens::recorded;
use crate::drivers::tpm::codec::codes::CommandCode as Code;
use crate::drivers::tpm::codec::nv::NvPublic;
use crate::drivers::tpm::codec::packet::{Command, Response};
use crate::drivers::tpm::codec::session::{Session, StartAuthSession, command_hash};

const SECRET: &[u8] = b"hunter2";

fn handle_count(code: Code) -> usize {
    match code {
        Code::NvDefineSpace => 1,
        _ => 2,
    }
}

/// The session's state before a command, the command, its answer.
fn exchanges() -> std::vec::Vec<(Session, Code, std::vec::Vec<u8>, std::vec::Vec<u8>)> {
    let mut session = None;
    let mut found = std::vec::Vec::new();
    for (command, answer) in recorded("> ").into_iter().zip(recorded("< ")) {
        let packet = Command::new_checked(&command).unwrap();
        let code = Code::from_number(packet.code).unwrap();
        let response = Response::new_checked(&answer).unwrap();
        match code {
            Code::StartAuthSession => {
                let parts = response.parts(1).unwrap();
                let (StartAuthSession { nonce }, _) = packet.parse().unwrap();
                let mut new = Session::parse(parts.handle, parts.parameters).unwrap();
                new.nonce_caller = nonce;
                session = Some(new);
            }
            Code::NvDefineSpace | Code::NvWrite | Code::NvUndefineSpace => {
                let now = session.as_mut().unwrap();
                found.push((*now, code, command.clone(), answer.clone()));
                if response.code.is_success() {
                    let area = packet.parts(handle_count(code)).unwrap();
                    now.nonce_caller = area
                        .authorisation
                        .map_or([0; 32], |area| area.nonce.try_into().unwrap_or_default());
                    let parts = response.parts(0).unwrap();
                    assert!(now.is_answer_right(code, SECRET, &parts), "{}", code.name());
                }
            }
            _ => {}
        }
    }
    found
}

fn is_command_right(before: &Session, code: Code, command: &[u8], secret: &[u8]) -> bool {
    let handles = handle_count(code);
    let Ok(packet) = Command::new_checked(command) else {
        return false;
    };
    let Ok(parts) = packet.parts(handles) else {
        return false;
    };
    let Some(area) = parts.authorisation else {
        return false;
    };
    let mut public = NvPublic::owned(0x0180_5250, 256);
    let is_right = |public: &NvPublic| {
        let handles = &parts.handles[..handles];
        let hash = command_hash(code, handles, &public.name(), parts.parameters);
        before.clone().is_command_right(secret, &hash, &area)
    };
    // The name changes with the first write, and the recording has both.
    is_right(&public) || {
        public.attributes |= crate::drivers::tpm::codec::nv::attribute::WRITTEN;
        is_right(&public)
    }
}

#[test]
fn the_hmacs_of_commands_and_answers_are_those_that_an_swtpm_computed() {
    let exchanges = exchanges();
    assert_eq!(exchanges.len(), 5);
    for (before, code, command, answer) in exchanges {
        let is_good = Response::new_checked(&answer).unwrap().code.is_success();
        assert_eq!(is_command_right(&before, code, &command, SECRET), is_good);
        assert!(!is_command_right(&before, code, &command, b"hunter3"));
    }
}

#[test]
fn a_changed_bit_in_a_command_or_an_answer_is_noticed() {
    let (before, code, command, answer) = exchanges().swap_remove(0);
    // Behind the header: the code is no part of the parameters, but of what is hashed.
    for at in (6 * 8)..(command.len() * 8) {
        let mut changed = command.clone();
        changed[at / 8] ^= 1 << (at % 8);
        // The session's handle is what finds it, not what it proves.
        let is_handle = (18..22).contains(&(at / 8));
        let is_code = (6..10).contains(&(at / 8));
        let is_right = is_command_right(&before, code, &changed, SECRET);
        assert_eq!(is_right, is_handle || is_code, "bit {at}");
    }
    let nonce = Command::new_checked(&command).unwrap().parts(1).unwrap();
    let nonce = nonce.authorisation.unwrap().nonce.try_into().unwrap();
    for at in (10 * 8)..(answer.len() * 8) {
        let mut changed = answer.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let mut session = before;
        session.nonce_caller = nonce;
        let parts = Response::new_checked(&changed).unwrap().parts(0);
        let is_right = parts.is_ok_and(|parts| session.is_answer_right(code, SECRET, &parts));
        assert!(!is_right, "bit {at}");
    }
}

#[test]
fn an_answer_without_a_session_proves_nothing() {
    let mut session = Session::new(0x0200_0000, &[1; 32]).unwrap();
    let bytes = [0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0];
    let parts = Response::new_checked(&bytes).unwrap().parts(0).unwrap();
    assert!(!session.is_answer_right(Code::NvWrite, SECRET, &parts));
    assert!(Session::new(0x0200_0000, &[1; 15]).is_none());
    assert!(Session::new(0x0200_0000, &[1; 33]).is_none());
}
