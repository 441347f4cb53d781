//! Is each change named, and nothing that is as it must be?

use super::*;

/// Events with the right digests for their data.
struct Log(Vec<(usize, u32, Vec<u8>)>);

impl Log {
    fn as_built() -> Log {
        let own = |pcr, text: &str| (pcr, EV_IPL, format!("rayos {text}").into_bytes());
        Log(vec![
            (4, EV_IPL, b"firmware's own affair".to_vec()),
            own(8, "kernel-code sha256=aa bytes=1"),
            own(4, "token none"),
            own(12, "audit head=00 entries=3"),
        ])
    }

    fn items(&self) -> Vec<Item> {
        let digests: Vec<_> = self
            .0
            .iter()
            .map(|(_, _, data)| Bank::Sha256.hash(&[data]))
            .collect();
        let events = self
            .0
            .iter()
            .zip(&digests)
            .map(|((pcr, kind, data), digest)| Event {
                pcr: *pcr,
                kind: *kind,
                digests: vec![(Bank::Sha256, digest.as_slice())],
                data,
            });
        let log = EventLog {
            banks: vec![Bank::Sha256],
            events: events.collect(),
        };
        assert_eq!(text_problem(&log), None);
        items(&log, &golden())
    }

    /// The only item that is not as it must be.
    fn difference(&self) -> String {
        let items = self.items();
        let different: Vec<_> = items
            .iter()
            .filter(|item| item.verdict != Verdict::AsBuilt)
            .collect();
        let [item] = different.as_slice() else {
            panic!("not one difference: {items:?}");
        };
        format!("{} {} {}", item.name, item.pcr, item.verdict)
    }
}

fn golden() -> Golden {
    let text = |name, pcr, text: &str| Expected {
        name,
        pcr,
        measured: Measured::Text(text.to_string()),
    };
    Golden(vec![
        text("kernel-code", 8, "sha256=aa bytes=1"),
        text("token", 4, "none"),
    ])
}

#[test]
fn what_was_built_is_said_to_be_so() {
    let items = Log::as_built().items();
    assert_eq!(items.len(), 2);
    assert!(
        items.iter().all(|item| item.verdict == Verdict::AsBuilt),
        "{items:?}"
    );
}

#[test]
fn what_was_changed_is_named_with_both_values() {
    let mut log = Log::as_built();
    log.0[1].2 = b"rayos kernel-code sha256=bb bytes=1".to_vec();
    assert_eq!(
        log.difference(),
        "kernel-code 8 changed: expected sha256=aa bytes=1, measured sha256=bb bytes=1"
    );
}

#[test]
fn what_is_not_measured_or_measured_twice_is_named() {
    let mut log = Log::as_built();
    let token = log.0.remove(2);
    assert_eq!(
        log.difference(),
        "token 4 missing: expected none, measured nothing"
    );
    log.0.extend([token.clone(), token]);
    assert_eq!(log.difference(), "token 4 measured 2 times");
}

#[test]
fn what_has_no_place_in_the_kernels_registers_is_named() {
    for (pcr, data, said) in [
        (
            9,
            &b"rayos gift sha256=00"[..],
            "other 9 unexpected: measured \"rayos gift sha256=00\"",
        ),
        (8, b"not ours", "other 8 unexpected: measured \"not ours\""),
        (
            8,
            b"\xff\x00",
            "other 8 unexpected: measured an event of kind 0xd with 2 bytes",
        ),
        (
            5,
            b"rayos token none",
            "other 5 unexpected: measured \"rayos token none\"",
        ),
        (9, b"\x1b[2J", "other 9 unexpected: measured \"\\u{1b}[2J\""),
    ] {
        let mut log = Log::as_built();
        log.0.push((pcr, EV_IPL, data.to_vec()));
        assert_eq!(log.difference(), said);
    }
}

#[test]
fn a_file_that_firmware_measured_must_be_the_built_one_in_every_bank() {
    let digests = |content: &[u8]| Bank::ALL.map(|bank| (bank, bank.hash(&[content]))).to_vec();
    let built = digests(b"kernel");
    let expected = Expected {
        name: KERNEL_FILE,
        pcr: 8,
        measured: Measured::Digests(built.clone()),
    };
    let golden = Golden(vec![expected]);
    for lying in [None, Some(0), Some(3)] {
        let mut measured = built.clone();
        if let Some(index) = lying {
            measured[index] = digests(b"other").swap_remove(index);
        }
        let event = Event {
            pcr: 8,
            kind: EV_IPL,
            digests: measured
                .iter()
                .map(|(bank, digest)| (*bank, digest.as_slice()))
                .collect(),
            data: b"rayos kernel-file",
        };
        let log = EventLog {
            banks: Bank::ALL.to_vec(),
            events: vec![event],
        };
        let items = items(&log, &golden);
        assert_eq!(items.len(), 1);
        assert_eq!(
            items[0].verdict == Verdict::AsBuilt,
            lying.is_none(),
            "{items:?}"
        );
    }
}

#[test]
fn a_text_whose_digest_is_another_ones_is_a_problem() {
    let digest = Bank::Sha256.hash(&[b"rayos token fingerprint=00"]);
    let event = Event {
        pcr: 4,
        kind: EV_IPL,
        digests: vec![(Bank::Sha256, &digest)],
        data: b"rayos token none",
    };
    let log = EventLog {
        banks: vec![Bank::Sha256],
        events: vec![event],
    };
    let problem = text_problem(&log).unwrap();
    assert!(problem.contains("\"rayos token none\""), "{problem}");
}
