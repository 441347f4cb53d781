//! `attest`: boots a machine with a TPM and finds out whether it runs what was built.

pub mod authenticode;
pub mod bank;
pub mod event_log;
pub mod evidence;
pub mod golden;
pub mod judgement;
pub mod quote;
mod reader;
pub mod tools;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::json;

use self::bank::parse_hex;
use self::evidence::{Evidence, Files};
use self::golden::{Golden, Inputs};
use self::judgement::{Judgement, Verdict};
use crate::deadline::Deadline;
use crate::kernel;
use crate::outcome::{Outcome, Unusable};
use crate::qemu::{Boot, Machine, Payload, Platform, Shape, TpmInterface};
use crate::session::{Failure, Line, Session};
use crate::shape_options;
use crate::table::Table;
use crate::workspace;

const NONCE_BYTES: usize = 32;
/// What a TPM takes as qualifying data: the size of its largest name less the algorithm's number.
const NONCE_BYTES_MAX: usize = 64;

/// Boot with a TPM and find out whether the machine runs what was built
#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// How the kernel is loaded
    #[arg(long, value_enum, default_value = "pvh")]
    pub boot: Boot,

    /// How the TPM is reached
    #[arg(long, value_enum, value_name = "INTERFACE", default_value = "tis")]
    pub tpm: TpmInterface,

    /// The board
    #[arg(long, value_enum, default_value = "q35")]
    pub machine: Platform,

    /// Settings that the machine must have: key=value, separated by blanks
    #[arg(long, value_name = "SETTINGS", default_value = "")]
    pub cmdline: String,

    /// A file that the machine must have as its RAM disk (pvh)
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,

    /// What the quote must answer, in hexadecimal digits; a fresh random number by default
    #[arg(long, value_name = "HEX")]
    pub nonce: Option<String>,

    /// Where the evidence is written; target/xtask/attest by default
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// The TPM's seeds and storage, instead of those that are kept under the target directory
    #[arg(long, value_name = "DIR")]
    pub tpm_state: Option<PathBuf>,

    /// Boot this kernel instead of the one that was built
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,

    /// Boot with these settings instead of those that the machine must have
    #[arg(long, value_name = "SETTINGS")]
    pub boot_cmdline: Option<String>,

    /// Boot with this RAM disk instead of the one that the machine must have
    #[arg(long, value_name = "FILE")]
    pub boot_initrd: Option<PathBuf>,

    /// How long booting and quoting may take, in seconds; building is not counted
    #[arg(long, value_name = "S", default_value_t = 240, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,

    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Evidence, where it lies, and what it is worth.
#[derive(Debug)]
pub struct Attestation {
    pub evidence: Evidence,
    pub files: Files,
    pub judgement: Judgement,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    let attestation = match attest(options) {
        Ok(attestation) => attestation,
        Err(error) => {
            let Some(failure) = error.downcast_ref::<Failure>() else {
                return Err(error);
            };
            eprintln!("error: {error:#}");
            return Ok(failure.outcome().into());
        }
    };
    let holds = attestation.judgement.holds();
    if options.json {
        println!("{}", to_json(options, &attestation));
    } else {
        print_for_people(&attestation);
    }
    Ok(if holds {
        Outcome::Success
    } else {
        Outcome::Failure
    }
    .into())
}

/// Boots, asks, and judges.
pub fn attest(options: &Options) -> anyhow::Result<Attestation> {
    attest_shaped(options, |shape| shape)
}

/// The same with a machine that differs from the usual one.
pub fn attest_shaped(
    options: &Options,
    change: impl FnOnce(Shape) -> Shape,
) -> anyhow::Result<Attestation> {
    tools::require()?;
    let nonce = nonce(options)?;
    let settings = options.boot_cmdline.as_ref().unwrap_or(&options.cmdline);
    let initrd = options.boot_initrd.as_ref().or(options.initrd.as_ref());
    let machine = shape(options, settings, initrd.map(PathBuf::as_path));
    let machine = shape_options::with_tpm(machine, options.tpm, options.tpm_state.as_deref())?;
    // Before anything is built for it.
    if let Some(problem) = machine.problem() {
        bail!(Unusable(problem));
    }
    let machine = change(machine);
    let built = kernel::ensure()?;
    let golden = Golden::of(&Inputs {
        boot: options.boot,
        kernel: built.clone(),
        settings: shape(options, &options.cmdline, None).command_line,
        initrd: options.initrd.clone(),
    })?;
    let out = match &options.out {
        Some(out) => out.clone(),
        None => workspace::cache().join("attest"),
    };
    let kernel = options.kernel.as_ref().unwrap_or(&built);
    let deadline = || Deadline::after(Duration::from_secs(options.timeout));
    let mut session = boot(&machine, kernel, deadline())?;
    let evidence = Evidence::take(&mut session, &nonce, deadline())?;
    drop(session);
    let files = evidence.write(&out)?;
    golden::write(&golden, &out)?;
    let judgement = Judgement::of(&evidence, &files, &golden)?;
    Ok(Attestation {
        evidence,
        files,
        judgement,
    })
}

fn shape(options: &Options, settings: &str, initrd: Option<&Path>) -> Shape {
    let mut shape = Shape::new(options.boot).platform(options.machine);
    if !settings.is_empty() {
        shape = shape.setting(settings);
    }
    if let Some(initrd) = initrd {
        shape = shape.initrd(initrd);
    }
    shape.setting("shell=framed-json")
}

fn boot(shape: &Shape, kernel: &Path, deadline: Deadline) -> anyhow::Result<Session> {
    if !kernel.is_file() {
        bail!(Unusable(format!("{} is not there", kernel.display())));
    }
    let payload = Payload::prepare(shape, kernel)?;
    let machine = Machine::start(shape, &payload, deadline)?;
    let mut session = Session::over(Line::to_machine(machine)?);
    session.wait_until_ready(deadline.remaining().unwrap_or_default())?;
    Ok(session)
}

fn nonce(options: &Options) -> anyhow::Result<Vec<u8>> {
    let Some(text) = &options.nonce else {
        let mut nonce = vec![0; NONCE_BYTES];
        let mut source = std::fs::File::open("/dev/urandom").context("no random numbers")?;
        source.read_exact(&mut nonce).context("no random numbers")?;
        return Ok(nonce);
    };
    let nonce = parse_hex(text).filter(|nonce| (1..=NONCE_BYTES_MAX).contains(&nonce.len()));
    nonce.ok_or_else(|| {
        anyhow!(Unusable(format!(
            "the nonce has 1 to {NONCE_BYTES_MAX} bytes of two hexadecimal digits each"
        )))
    })
}

fn to_json(options: &Options, attestation: &Attestation) -> serde_json::Value {
    let mut document = attestation.judgement.to_json();
    document["boot"] = json!(format!("{:?}", options.boot).to_lowercase());
    document["tpm"] = json!(options.tpm.name());
    document["nonce"] = json!(bank::hex(&attestation.evidence.nonce));
    document["directory"] = json!(attestation.files.0.display().to_string());
    document
}

fn print_for_people(attestation: &Attestation) {
    let judgement = &attestation.judgement;
    let mut table = Table::new(["check", "pcr", "verdict"]);
    for check in &judgement.checks {
        let verdict = check.problem.clone().unwrap_or_else(|| "holds".to_string());
        table.row([check.name.to_string(), String::new(), verdict]);
    }
    for item in &judgement.items {
        table.row([
            item.name.clone(),
            item.pcr.to_string(),
            item.verdict.to_string(),
        ]);
    }
    print!("{table}");
    println!("evidence: {}", attestation.files.0.display());
    let count = judgement
        .items
        .iter()
        .filter(|item| item.verdict != Verdict::AsBuilt)
        .count();
    match (judgement.holds(), count) {
        (true, _) => println!("the machine runs what was built"),
        (false, 0) => println!("the evidence does not hold"),
        (false, count) => println!("the machine does not run what was built: {count} differ"),
    }
}
