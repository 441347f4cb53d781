//! Is what swtpm signed and tpm2-tools wrote read and written alike here? The bytes were made by them.

use super::*;
use crate::attest::bank::{hex, parse_hex};

/// Of registers 0 to 15 that were all zero, by `tpm2_quote`.
const MESSAGE: &str = "ff54434780180022000b9e5cb59fec335c450957594bfab2ed7ce4ad6184493989679a2e4c284f452146001000112233445566778899aabbccddeeff00000000000024c9b6fd1667a0f782ca017dfffca38ec8eb1b00000001000b03ffff000020076a27c79e5ace2a3d47f9dd2e83e4ff6ea8872b3c2218f66c92b89b55f36560";
const NONCE: &str = "00112233445566778899aabbccddeeff";
/// By `tpm2_createprimary` and `tpm2_readpublic`.
const PUBLIC: &str = "00580023000b00050072000000100018000b00030010002092e033390c4dc71237d239657e7c77433a2914a40c81537b1ee360deb36180a30020d45630da35c0e99f813e7e401790e0cb2b9dd5f7a03163fde7f3386e5bb2df9e";
const PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEkuAzOQxNxxI30jllfnx3QzopFKQM
gVN7HuNg3rNhgKPUVjDaNcDpn4E+fkAXkODLK53V96AxY/3n8zhuW7Lfng==
-----END PUBLIC KEY-----
";

fn bytes(text: &str) -> Vec<u8> {
    parse_hex(text).unwrap()
}

fn registers() -> Registers {
    (0..16).map(|number| (number, [0; 32])).collect()
}

#[test]
fn a_quote_of_another_program_is_read() {
    let message = bytes(MESSAGE);
    let quote = Quote::parse(&message).unwrap();
    assert_eq!(quote.nonce, bytes(NONCE));
    assert_eq!(quote.selection, [(0x000b, (0..16).collect())]);
    assert_eq!(quote.problem(&bytes(NONCE), &registers()), None);
}

#[test]
fn a_quote_is_only_about_its_own_nonce_and_registers() {
    let message = bytes(MESSAGE);
    let quote = Quote::parse(&message).unwrap();
    let problem = quote.problem(b"another", &registers()).unwrap();
    assert!(problem.contains("nonce"), "{problem}");
    let mut others = registers();
    others[15].1[31] = 1;
    let problem = quote.problem(&bytes(NONCE), &others).unwrap();
    assert!(problem.contains("other values"), "{problem}");
    others.pop();
    let problem = quote.problem(&bytes(NONCE), &others).unwrap();
    assert!(problem.contains("other registers"), "{problem}");
}

#[test]
fn a_cut_or_lengthened_quote_is_refused() {
    let mut message = bytes(MESSAGE);
    for length in 0..message.len() {
        assert!(Quote::parse(&message[..length]).is_err(), "{length}");
    }
    message.push(0);
    assert!(Quote::parse(&message).is_err());
}

#[test]
fn a_key_becomes_the_same_text_as_by_the_tools() {
    let key = Key::parse(&bytes(PUBLIC)).unwrap();
    assert_eq!(key.pem(), PEM);
    assert!(key.missing_attributes().is_empty());
}

#[test]
fn a_key_that_would_sign_anything_is_named() {
    let mut public = bytes(PUBLIC);
    // The byte of the attributes with "restricted" and "sign".
    public[7] &= !1;
    assert_eq!(
        Key::parse(&public).unwrap().missing_attributes(),
        ["restricted"]
    );
    for length in 0..public.len() {
        assert!(Key::parse(&public[..length]).is_err(), "{length}");
    }
}

#[test]
fn the_registers_are_written_as_by_the_tools() {
    // Of the file that `tpm2_quote -o` wrote beside the quote.
    let known = "bc7ceebab5e3d2ae5d4333323330009b13426e8ff18b74a91eff77ad923bb7";
    let file = registers_file(&registers());
    assert_eq!(file.len(), 1200);
    assert!(
        hex(&sha256(&file)).ends_with(known),
        "{}",
        hex(&sha256(&file))
    );
}
