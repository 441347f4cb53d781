//! Byte for byte what an swtpm took and answered.

use super::canned::Canned;
use super::*;
use crate::base::digest::{Hex, sha256};
use crate::drivers::tpm::shut_down;
use std::format;

/// All jobs of the recording, in its order.
fn replay() -> (Vec<Result<Answer, TpmError>>, Client) {
    let (mut client, mut port) = (Client::new(SEED), Canned::strict());
    let jobs = recorded_jobs().into_iter();
    let answers = jobs
        .map(|job| answer(&mut client, &mut port, job))
        .collect();
    let mut now = Instant::ZERO;
    let mut later = || {
        now = now + Duration::from_micros(100);
        now
    };
    assert!(shut_down(&mut port, &mut later));
    assert!(port.is_over());
    (answers, client)
}

#[test]
fn every_job_says_what_an_swtpm_took_and_reads_what_it_answered() {
    let (answers, client) = replay();
    let missing = TpmError::NotStored { index: INDEX };
    assert_eq!(answers[1], Ok(Answer::Extended));
    assert!(matches!(&answers[3], Ok(Answer::Random(bytes)) if bytes.len() == 32));
    assert_eq!(answers[6], Err(missing));
    assert_eq!(answers[7], Ok(Answer::NvStored { is_new: true }));
    let loaded = |at: usize| match &answers[at] {
        Ok(Answer::NvLoaded(bytes)) => (bytes.len(), bytes[0], bytes[255]),
        other => panic!("{other:?}"),
    };
    assert_eq!(loaded(8), (256, 1, 0x5a));
    assert_eq!(answers[9], Ok(Answer::NvStored { is_new: false }));
    assert_eq!(loaded(10), (256, 9, 9));
    assert_eq!(answers[12], Ok(Answer::NvRemoved));
    assert_eq!(answers[13], Err(missing));
    let sentence = |at: usize| format!("{}", answers[at].clone().unwrap_err());
    assert_eq!(
        sentence(11),
        "NV_Write: wrong owner authorisation; correct tpm-owner= in the configuration \
         (code 0x9a2, session 1)"
    );
    assert_eq!(
        sentence(15),
        "PCR_Extend: the TPM refuses (code 0x184, handle 1)"
    );
    let view = client.view();
    assert_eq!(view.state, ClientState::Ready);
    assert_eq!(view.identity.manufacturer.as_str(), "IBM");
    assert_eq!(view.identity.vendor.as_str(), "SW   TPM");
    assert_eq!(view.identity.firmware_version, Some(0x2019_1023_0016_3636));
    assert_eq!(
        (view.banks.active.iter().count(), view.banks.unknown),
        (4, 0)
    );
    // A key that is guarded against guessing would cost one command more, sent again.
    assert_eq!((view.counters.retries, view.counters.jobs_failed), (0, 4));
}

#[test]
fn an_extended_pcr_is_the_hash_of_what_was_there_and_what_came() {
    let (answers, _) = replay();
    let pcrs = |at: usize| match &answers[at] {
        Ok(Answer::Pcrs(report)) => **report,
        other => panic!("{other:?}"),
    };
    let (before, after) = (pcrs(0), pcrs(4));
    assert_eq!(before.values, [[0; 32]; 16]);
    let first = sha256(&[&[0; 32], &sha256(&[b"abc"])]);
    let second = sha256(&[&first, &sha256(&[b"def"])]);
    for (pcr, value) in after.values.iter().enumerate() {
        let expected = if pcr == 8 { second } else { [0; 32] };
        assert_eq!(Hex(value).0, expected, "{pcr}");
    }
    // One for each of four banks and two extensions.
    assert_eq!(after.update_counter, before.update_counter + 8);
}

#[test]
fn a_quote_is_given_whole_with_the_values_that_it_signs() {
    let (answers, _) = replay();
    let (Ok(Answer::Pcrs(pcrs)), Ok(Answer::Quote(quote))) = (&answers[4], &answers[14]) else {
        panic!("no quote");
    };
    assert_eq!(quote.pcrs.values, pcrs.values);
    assert_eq!(&quote.nonce[..], &[0xbb; 64]);
    assert_eq!(&quote.message[..6], b"\xffTCG\x80\x18");
    assert!(
        quote
            .message
            .ends_with(&sha256(&[pcrs.values.as_flattened()]))
    );
    assert_eq!(&quote.signature[..4], &[0, 0x18, 0, 0x0b]);
    assert_eq!(&quote.public[..6], &[0, 88, 0, 0x23, 0, 0x0b]);
}
