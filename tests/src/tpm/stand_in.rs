//! Evidence that no kernel made: a log of this file's own, extended, quoted and told by tpm2-tools.

use std::path::Path;

use anyhow::{Context, ensure};
use xtask::attest::bank::{Bank, hex};
use xtask::attest::event_log::{EV_IPL, EV_NO_ACTION, EV_SEPARATOR};
use xtask::attest::evidence::Evidence;
use xtask::attest::golden::{Expected, Golden, Measured};

use super::Tools;

const QUOTED: &str = "sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15";
const KEY: &str = "tpm2_createprimary -Q -C o -G ecc256:ecdsa-sha256:null -c ak.ctx -a fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign";
const TEXTS: [(usize, &str, &str); 3] = [
    (8, "kernel-code", "sha256=aa bytes=1"),
    (4, "token", "none"),
    (9, "ramdisk", "none"),
];

/// What the stand-in measures, as it must be.
pub fn golden() -> Golden {
    let expected = TEXTS.map(|(pcr, name, text)| Expected {
        name,
        pcr,
        measured: Measured::Text(text.to_string()),
    });
    Golden(expected.to_vec())
}

/// Registers of a bank as the TPM itself tells them.
pub fn registers(tools: &Tools, bank: Bank) -> anyhow::Result<Vec<Vec<u8>>> {
    let numbers: Vec<String> = (0..24).map(|number: u32| number.to_string()).collect();
    let line = format!(
        "tpm2_pcrread -Q -o registers {}:{}",
        bank.name(),
        numbers.join(",")
    );
    tools.run(&line)?;
    let bytes = tools.file("registers")?;
    ensure!(
        bytes.len() == 24 * bank.digest_bytes(),
        "half the registers"
    );
    Ok(bytes
        .chunks(bank.digest_bytes())
        .map(<[u8]>::to_vec)
        .collect())
}

/// Measures, and has the TPM sign.
pub fn evidence(
    state: &Path,
    diary: Option<&Path>,
    nonce: &[u8],
) -> anyhow::Result<(Evidence, Tools)> {
    let tools = Tools::on(state, diary)?;
    let mut log = header();
    for register in 0..8 {
        measure(&tools, &mut log, register, EV_SEPARATOR, &[0; 4])?;
    }
    for (register, name, text) in TEXTS {
        let data = format!("rayos {name} {text}");
        measure(&tools, &mut log, register, EV_IPL, data.as_bytes())?;
    }
    tools.run(KEY)?;
    tools.run("tpm2_readpublic -Q -c ak.ctx -o ak.pub")?;
    let nonce_digits = hex(nonce);
    tools.run(&format!(
        "tpm2_quote -Q -c ak.ctx -l {QUOTED} -q {nonce_digits} -m message -s signature -g sha256"
    ))?;
    let registers = registers(&tools, Bank::Sha256)?;
    let registers = registers.into_iter().take(16).enumerate();
    let registers = registers.map(|(number, value)| {
        let value = value.try_into().ok().context("no register of SHA-256")?;
        Ok((number, value))
    });
    let evidence = Evidence {
        nonce: nonce.to_vec(),
        message: tools.file("message")?,
        signature: tools.file("signature")?,
        public: tools.file("ak.pub")?,
        registers: registers.collect::<anyhow::Result<_>>()?,
        log,
    };
    Ok((evidence, tools))
}

fn measure(
    tools: &Tools,
    log: &mut Vec<u8>,
    register: usize,
    kind: u32,
    data: &[u8],
) -> anyhow::Result<()> {
    let digests = Bank::ALL.map(|bank| (bank, bank.hash(&[data])));
    let words = digests
        .each_ref()
        .map(|(bank, digest)| format!("{}={}", bank.name(), hex(digest)));
    tools.run(&format!("tpm2_pcrextend {register}:{}", words.join(",")))?;
    for number in [u32::try_from(register)?, kind, 4] {
        log.extend(number.to_le_bytes());
    }
    for (bank, digest) in digests {
        log.extend(bank.number().to_le_bytes());
        log.extend(digest);
    }
    log.extend(u32::try_from(data.len())?.to_le_bytes());
    log.extend(data);
    Ok(())
}

fn header() -> Vec<u8> {
    let mut data = b"Spec ID Event03\0".to_vec();
    data.extend([0, 0, 0, 0, 0, 2, 0, 2, 4, 0, 0, 0]);
    for bank in Bank::ALL {
        data.extend(bank.number().to_le_bytes());
        data.extend((bank.digest_bytes() as u16).to_le_bytes());
    }
    data.push(0);
    let mut log = [0, EV_NO_ACTION].map(u32::to_le_bytes).concat();
    log.extend([0; 20]);
    log.extend((data.len() as u32).to_le_bytes());
    log.extend(data);
    log
}
