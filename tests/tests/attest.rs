//! Does a machine with a TPM tell what it was booted from so that programs which nobody here wrote believe it?
//!
//! A usual run takes both interfaces by the quick way in and one of them through UEFI; with `RAYOS_LONG` every
//! combination of interface, boot path and board.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, FromArgMatches};
use rayos_tests::form;
use rayos_tests::spoiled_kernel::{self, Place};
use rayos_tests::tpm::{diary, tampering};
use rayos_tests::xtask_binary;
use serde_json::Value;
use xtask::attest::bank::Bank;
use xtask::attest::event_log::EventLog;
use xtask::attest::judgement::Verdict;
use xtask::attest::{self, Attestation, Options, tools};
use xtask::kernel;
use xtask::workspace::Scratch;

const CALL_WITHIN: std::time::Duration = std::time::Duration::from_secs(300);

/// Options as they are typed, with a TPM and a directory of their own.
fn options(words: &str, scratch: &Scratch) -> Options {
    let command = Options::augment_args(clap::Command::new("attest"));
    let (state, out) = (scratch.path().join("state"), scratch.path().join("out"));
    let places = format!("--tpm-state {} --out {}", state.display(), out.display());
    let words = ["attest"].into_iter().chain(words.split_whitespace());
    let words = words.chain(places.split_whitespace());
    let matches = command.try_get_matches_from(words).unwrap();
    Options::from_arg_matches(&matches).unwrap()
}

fn cases() -> Vec<String> {
    let short = [
        "--boot pvh --tpm tis",
        "--boot pvh --tpm crb",
        "--boot uefi --tpm crb",
    ];
    form::cases(short.map(String::from).to_vec(), || {
        let mut cases = Vec::new();
        for boot in ["pvh", "bios", "uefi"] {
            for tpm in ["tis", "crb"] {
                for machine in ["q35", "pc"] {
                    cases.push(format!("--boot {boot} --tpm {tpm} --machine {machine}"));
                }
            }
        }
        cases
    })
}

/// Everything that independent readers can say about one machine.
fn holds_before_everybody(words: &str) -> anyhow::Result<Attestation> {
    let scratch = Scratch::new()?;
    let diary = scratch.path().join("diary");
    let attestation = attest::attest_shaped(&options(words, &scratch), |mut shape| {
        if let Some(tpm) = &mut shape.tpm {
            tpm.diary = Some(diary.clone());
        }
        shape
    })?;
    let judgement = &attestation.judgement;
    ensure!(judgement.holds(), "{:#}", judgement.to_json());
    let computed = tools::replay(&attestation.files)?;
    let told = diary::read(&diary)?;
    let log = EventLog::parse(&attestation.evidence.log)?;
    ensure!(
        log.banks == Bank::ALL,
        "the TPM has other banks: {:?}",
        log.banks
    );
    for bank in Bank::ALL {
        let registers = &computed[&bank];
        for number in 0..16 {
            let extended = &told.of_bank(bank)[number];
            let zeros = vec![0; bank.digest_bytes()];
            let read = registers.get(&number).unwrap_or(&zeros);
            ensure!(
                read == extended,
                "tpm2_eventlog computes another {} register {number} than the TPM was told",
                bank.name()
            );
        }
    }
    Ok(attestation)
}

#[test]
fn tools_of_others_accept_quote_and_log_and_all_is_as_built() {
    let mut failures = Vec::new();
    for case in cases() {
        if let Err(error) = holds_before_everybody(&case) {
            failures.push(format!("{case}: {error:#}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_changed_byte_of_a_machines_quote_is_accepted() {
    let scratch = Scratch::new().unwrap();
    let attestation = attest::attest(&options("", &scratch)).unwrap();
    let changes = tampering::every_changed_byte_is_refused(&attestation.evidence).unwrap();
    assert!(changes > 700, "{changes}");
}

#[test]
fn the_answer_to_one_nonce_is_none_to_another() {
    let scratch = Scratch::new().unwrap();
    let attestation = attest::attest(&options("--nonce 00112233445566778899", &scratch)).unwrap();
    assert_eq!(attestation.evidence.nonce.len(), 10);
    let said = tools::check_quote(&attestation.files, b"another one").unwrap();
    assert!(!said.success, "{said:?}");
}

/// Attests a machine that was booted with something else, and returns the one thing that is named.
fn difference(options: &Options) -> anyhow::Result<(String, String)> {
    let attestation = attest::attest(options)?;
    let judgement = &attestation.judgement;
    for check in &judgement.checks {
        // It tells the truth about what it runs.
        ensure!(check.problem.is_none(), "{check:?}");
    }
    let items = judgement.items.iter();
    let different: Vec<_> = items
        .filter(|item| item.verdict != Verdict::AsBuilt)
        .collect();
    let [item] = different.as_slice() else {
        anyhow::bail!("not one difference: {different:?}");
    };
    Ok((item.name.clone(), item.verdict.to_string()))
}

#[test]
fn a_changed_byte_of_the_kernel_is_found_and_named() {
    let built = kernel::ensure().unwrap();
    for (place, name) in [
        (Place::Text, "kernel-code"),
        (Place::ReadOnlyData, "kernel-code"),
        (Place::Data, "kernel-data"),
    ] {
        let scratch = Scratch::new().unwrap();
        let mut options = options("", &scratch);
        options.kernel = Some(spoiled_kernel::write(&built, place, scratch.path()).unwrap());
        let (named, verdict) = difference(&options).unwrap();
        assert_eq!(named, name, "{place:?}");
        assert!(
            verdict.starts_with("changed: expected sha256="),
            "{verdict}"
        );
    }
}

#[test]
fn a_changed_byte_of_the_kernel_in_an_image_is_found_by_the_firmware_too() {
    let built = kernel::ensure().unwrap();
    let scratch = Scratch::new().unwrap();
    let mut options = options("--boot uefi", &scratch);
    let spoiled = spoiled_kernel::write(&built, Place::ReadOnlyData, scratch.path());
    options.kernel = Some(spoiled.unwrap());
    let attestation = attest::attest(&options).unwrap();
    let items = attestation.judgement.items.iter();
    let different: Vec<&str> = items
        .filter(|item| item.verdict != Verdict::AsBuilt)
        .map(|item| item.name.as_str())
        .collect();
    assert_eq!(different, ["kernel-code", "kernel-file"]);
}

fn file(scratch: &Scratch, name: &str, content: &[u8]) -> PathBuf {
    let path = scratch.path().join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_changed_byte_of_the_ram_disk_is_found_and_named() {
    for (expected, booted) in [
        (&b"keymap=de\n"[..], &b"keymap=fr\n"[..]),
        (b"\x1f\x8b binary \xff", b"\x1f\x8b binarz \xff"),
    ] {
        let scratch = Scratch::new().unwrap();
        let mut options = options("", &scratch);
        options.initrd = Some(file(&scratch, "expected", expected));
        options.boot_initrd = Some(file(&scratch, "booted", booted));
        let (named, verdict) = difference(&options).unwrap();
        assert_eq!(named, "ramdisk", "{verdict}");
    }
}

#[test]
fn a_changed_letter_of_the_command_line_is_found_and_named() {
    let scratch = Scratch::new().unwrap();
    let mut options = options("", &scratch);
    options.cmdline = "log=info".to_string();
    options.boot_cmdline = Some("log=warn".to_string());
    assert_eq!(difference(&options).unwrap().0, "command-line");
}

#[test]
fn a_changed_token_is_found_and_neither_is_told() {
    let scratch = Scratch::new().unwrap();
    let mut options = options("", &scratch);
    options.cmdline = "token=correct-horse".to_string();
    options.boot_cmdline = Some("token=another-horse".to_string());
    let (named, verdict) = difference(&options).unwrap();
    assert_eq!(named, "token");
    for secret in ["correct-horse", "another-horse"] {
        assert!(!verdict.contains(secret), "{verdict}");
        for name in ["golden.json", "eventlog.bin", "quote.msg"] {
            let path = scratch.path().join("out").join(name);
            let bytes = fs::read(path).unwrap();
            let mut windows = bytes.windows(secret.len());
            assert!(!windows.any(|window| window == secret.as_bytes()), "{name}");
        }
    }
}

fn call(words: &[&str], out: &Path) -> anyhow::Result<(Option<i32>, Value)> {
    let state = out.join("state");
    let places = [
        "--json",
        "--out",
        out.to_str().context("no path")?,
        "--tpm-state",
        state.to_str().context("no path")?,
    ];
    let words = [&["attest"], words, &places].concat();
    let said = xtask_binary::call(&words, "", CALL_WITHIN)?;
    let document = serde_json::from_str(&said.stdout)
        .with_context(|| format!("{words:?}: {} {}", said.stdout, said.stderr))?;
    Ok((said.exit_code, document))
}

#[test]
fn the_command_ends_with_0_only_when_everything_holds() {
    let scratch = Scratch::new().unwrap();
    let (status, document) = call(&["--nonce", "c0ffee"], scratch.path()).unwrap();
    assert_eq!(
        (status, &document["ok"]),
        (Some(0), &Value::Bool(true)),
        "{document:#}"
    );
    assert_eq!(document["nonce"], "c0ffee");
    for name in [
        "quote.msg",
        "quote.sig",
        "ak.pub",
        "ak.pem",
        "pcrs.bin",
        "eventlog.bin",
        "nonce.hex",
        "golden.json",
    ] {
        assert!(scratch.path().join(name).is_file(), "{name}");
    }
    let words = ["--cmdline", "log=info", "--boot-cmdline", "log=warn"];
    let (status, document) = call(&words, scratch.path()).unwrap();
    assert_eq!(status, Some(1), "{document:#}");
    let items = document["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["ok"] == false).unwrap();
    assert_eq!(item["name"], "command-line");
}

#[test]
fn the_command_ends_with_2_when_it_cannot_work() {
    for words in [
        &["attest", "--nonce", "odd"][..],
        &["attest", "--machine", "microvm"],
        &["attest", "--kernel", "/nowhere"],
        &["attest", "--boot", "uefi", "--initrd", "/etc/hostname"],
    ] {
        let said = xtask_binary::call(words, "", CALL_WITHIN).unwrap();
        assert_eq!(said.exit_code, Some(2), "{words:?}: {said:?}");
        assert!(!said.stderr.is_empty(), "{words:?}: no reason");
    }
}
