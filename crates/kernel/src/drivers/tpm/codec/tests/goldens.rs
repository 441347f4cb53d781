//! Each command and each answer there and back again.

use crate::base::digest::parse_hex;
use crate::base::prng::Prng;
use crate::drivers::tpm::codec::attest::{Attest, Quote, Quoted};
use crate::drivers::tpm::codec::bank::BankSet;
use crate::drivers::tpm::codec::bytes::Writer;
use crate::drivers::tpm::codec::capability::{Banks, GetCapability, Identity, emit_banks};
use crate::drivers::tpm::codec::codes::CommandCode as Code;
use crate::drivers::tpm::codec::key::{CreatePrimary, QuoteKey};
use crate::drivers::tpm::codec::nv::{
    NvDefineSpace, NvRead, NvReadPublic, NvUndefineSpace, NvWrite, parse_public,
};
use crate::drivers::tpm::codec::packet::{Command, Request, Response, emit, emit_refusal};
use crate::drivers::tpm::codec::pcr::{PcrExtend, PcrRead, PcrSelection, PcrValues};
use crate::drivers::tpm::codec::response_code::{ResponseCode, Subject};
use crate::drivers::tpm::codec::session::{Authorisation, Session, StartAuthSession};
use crate::drivers::tpm::codec::simple::{
    FlushContext, GetRandom, SelfTest, Shutdown, Startup, parse_one_sized,
};
use std::collections::BTreeSet;
use std::format;
use std::vec::Vec;

/// Lines of the client's recording, by the side that spoke.
pub fn recorded(side: &str) -> Vec<Vec<u8>> {
    let text = include_str!("../../client/tests/swtpm.txt");
    let lines = text.lines().filter_map(|line| line.strip_prefix(side));
    let bytes = |digits: &str| {
        let mut bytes = std::vec![0; digits.len() / 2];
        parse_hex(digits, &mut bytes).unwrap();
        bytes
    };
    lines.map(bytes).collect()
}

pub fn bytes_written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0xa5; 4096];
    let mut out = Writer::new(&mut buffer);
    write(&mut out);
    let length = out.finish().unwrap();
    buffer[..length].to_vec()
}

/// Parses a command and writes it again, without what authorises it or with a password.
fn again<'a, R: Request<'a>>(command: &Command<'a>) -> Vec<u8> {
    let (request, area) = command.parse::<R>().unwrap();
    let mut buffer = [0xa5; 4096];
    let mut authorisation = match area {
        None => Authorisation::None,
        Some(area) if area.hmac.is_empty() => Authorisation::EmptyPassword,
        // The HMAC itself is the affair of another test.
        Some(area) => {
            let mut session = Session::new(area.handle, &[1; 32]).unwrap();
            let mut authorisation = Authorisation::Session {
                session: &mut session,
                secret: b"",
                index_name: b"",
                nonce: area.nonce.try_into().unwrap(),
                is_continued: area.attributes == 1,
            };
            let length = emit(&request, &mut authorisation, &mut buffer).unwrap();
            let at = buffer[..length]
                .windows(32)
                .position(|part| part == area.nonce);
            let at = at.unwrap() + 32 + 1 + 2;
            buffer[at..at + 32].copy_from_slice(area.hmac);
            return buffer[..length].to_vec();
        }
    };
    let length = emit(&request, &mut authorisation, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn written_again(bytes: &[u8]) -> (Code, Vec<u8>) {
    let command = Command::new_checked(bytes).unwrap();
    let code = Code::from_number(command.code).unwrap();
    let again = match code {
        Code::Startup => again::<Startup>,
        Code::Shutdown => again::<Shutdown>,
        Code::SelfTest => again::<SelfTest>,
        Code::GetCapability => again::<GetCapability>,
        Code::GetRandom => again::<GetRandom>,
        Code::PcrRead => again::<PcrRead>,
        Code::PcrExtend => again::<PcrExtend>,
        Code::NvDefineSpace => again::<NvDefineSpace>,
        Code::NvUndefineSpace => again::<NvUndefineSpace>,
        Code::NvWrite => again::<NvWrite<'_>>,
        Code::NvRead => again::<NvRead>,
        Code::NvReadPublic => again::<NvReadPublic>,
        Code::CreatePrimary => again::<CreatePrimary>,
        Code::Quote => again::<Quote<'_>>,
        Code::FlushContext => again::<FlushContext>,
        Code::StartAuthSession => again::<StartAuthSession>,
    };
    (code, again(&command))
}

#[test]
fn every_command_that_an_swtpm_took_is_read_and_written_byte_for_byte() {
    let mut seen = BTreeSet::new();
    for bytes in recorded("> ") {
        let (code, again) = written_again(&bytes);
        assert_eq!(again, bytes, "{}", code.name());
        seen.insert(code.number());
    }
    assert_eq!(seen.len(), 16, "a command without a golden");
}

#[test]
fn every_answer_of_an_swtpm_is_read_and_written_byte_for_byte() {
    let mut seen = BTreeSet::new();
    for (command, bytes) in recorded("> ").iter().zip(&recorded("< ")) {
        let code = Command::new_checked(command).unwrap().code;
        let code = Code::from_number(code).unwrap();
        let response = Response::new_checked(bytes).unwrap();
        if !response.code.is_success() {
            let mut again = [0xa5; 10];
            assert_eq!(emit_refusal(response.code, &mut again), Some(10));
            assert_eq!(again, bytes[..]);
            continue;
        }
        seen.insert(code.number());
        let has_handle = matches!(code, Code::CreatePrimary | Code::StartAuthSession);
        let parts = response.parts(usize::from(has_handle)).unwrap();
        let parameters = parts.parameters;
        let again = match code {
            Code::PcrRead => {
                let values = PcrValues::parse(parameters).unwrap();
                bytes_written(|out| values.emit(out))
            }
            Code::GetCapability if parameters[4] == 5 => {
                let banks = Banks::parse(parameters).unwrap();
                let pcrs = 0xff_ffff;
                let rows = banks.active.iter().map(|bank| PcrSelection {
                    algorithm: bank.id(),
                    pcrs,
                });
                let rows: Vec<PcrSelection> = rows.collect();
                bytes_written(|out| emit_banks(&rows, out))
            }
            Code::GetCapability => {
                assert!(
                    Identity::parse(parameters)
                        .unwrap()
                        .firmware_version
                        .is_some()
                );
                parameters.to_vec()
            }
            Code::GetRandom | Code::NvRead => {
                let inside = parse_one_sized(parameters, "bytes").unwrap();
                bytes_written(|out| out.sized(inside))
            }
            Code::NvReadPublic => {
                let public = parse_public(parameters).unwrap();
                assert!(public.is_owned() && public.is_written());
                bytes_written(|out| {
                    public.emit_sized(out);
                    out.sized(&public.name());
                })
            }
            Code::CreatePrimary => {
                let key = QuoteKey::parse(parts.handle, parameters).unwrap();
                assert!(parameters.starts_with(&key.public));
                parameters.to_vec()
            }
            Code::Quote => {
                let quoted = Quoted::parse(parameters).unwrap();
                let attest = Attest::parse(quoted.message).unwrap();
                assert_eq!(bytes_written(|out| attest.emit(out)), quoted.message);
                bytes_written(|out| quoted.emit(out))
            }
            Code::StartAuthSession => {
                assert!(Session::parse(parts.handle, parameters).is_ok());
                parameters.to_vec()
            }
            _ => Vec::new(),
        };
        assert_eq!(again, parameters, "{}", code.name());
    }
    assert_eq!(seen.len(), 16, "an answer without a golden");
}

#[test]
fn no_cut_or_lengthened_packet_is_taken_for_a_whole_one() {
    for bytes in recorded("< ") {
        for length in 0..bytes.len() {
            assert!(Response::new_checked(&bytes[..length]).is_err());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(Response::new_checked(&longer).is_err());
    }
}

#[test]
fn commands_of_chance_are_read_or_refused_and_never_panic() {
    let commands = recorded("> ");
    let mut prng = Prng::new(5);
    for _ in 0..20_000 {
        let mut bytes = commands[prng.below(commands.len() as u64) as usize].clone();
        for _ in 0..=prng.below(3) {
            let at = prng.below(bytes.len() as u64) as usize;
            bytes[at] = prng.next_u64() as u8;
        }
        let Ok(command) = Command::new_checked(&bytes) else {
            continue;
        };
        // What is read is written again without a panic; its bytes may differ in fields
        // that mean the same.
        if Code::from_number(command.code).is_some() {
            let _ = command.parts(2);
            let _ = command.parse::<PcrExtend>();
            let _ = command.parse::<NvWrite<'_>>();
            let _ = command.parse::<CreatePrimary>();
            let _ = command.parse::<NvDefineSpace>();
        }
    }
}

#[test]
fn what_does_not_fit_is_noticed_and_nothing_is_written_behind_the_end() {
    let mut buffer = [0xa5; 16];
    let request = GetRandom { bytes: 32 };
    assert_eq!(
        emit(&request, &mut Authorisation::None, &mut buffer[..11]),
        None
    );
    assert_eq!(buffer[11..], [0xa5; 5]);
    let length = emit(&request, &mut Authorisation::None, &mut buffer);
    assert_eq!((length, &buffer[12..]), (Some(12), &[0xa5; 4][..]));
}

#[test]
fn a_response_code_says_what_to_do_and_what_it_is_about() {
    let sentence = |code| format!("{}", ResponseCode(code));
    assert!(sentence(0x9a2).starts_with("wrong owner authorisation"));
    assert!(sentence(0x98e).ends_with("(code 0x98e, session 1)"));
    assert!(sentence(0x921).contains("locked after wrong authorisations"));
    assert!(sentence(0x148).contains("locked"));
    assert!(sentence(0x14c).contains("exists already"));
    assert!(sentence(0x18b).ends_with("(code 0x18b, handle 1)"));
    assert!(sentence(0x2d5).ends_with("(code 0x2d5, parameter 2)"));
    assert!(sentence(0x101).contains("failure mode"));
    assert_eq!(sentence(0x7f), "the TPM refuses (code 0x07f)");
    assert_eq!(ResponseCode(0x9a2).subject(), Some(Subject::Session(1)));
    assert!(ResponseCode::BAD_AUTH.about_session(1).is_wrong_secret());
    assert_eq!(ResponseCode::HANDLE.about_handle(1), ResponseCode(0x18b));
    assert_eq!(ResponseCode::SIZE.about_parameter(2), ResponseCode(0x2d5));
}

#[test]
fn banks_that_nobody_here_can_hash_are_counted() {
    let answer = bytes_written(|out| {
        let select = |algorithm, pcrs| PcrSelection { algorithm, pcrs };
        let rows = [select(0x12, 7), select(0x0b, 7), select(0x04, 0)];
        emit_banks(&rows, out);
    });
    let banks = Banks::parse(&answer).unwrap();
    assert_eq!((banks.active.iter().count(), banks.unknown), (1, 1));
    assert_ne!(banks.active, BankSet::NONE);
}
