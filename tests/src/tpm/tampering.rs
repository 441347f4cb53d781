//! Evidence with one byte changed, byte after byte: a program that nobody here wrote must refuse all of it.

use anyhow::{Context, ensure};
use xtask::attest::bank::hex;
use xtask::attest::evidence::Evidence;
use xtask::attest::tools;
use xtask::workspace::Scratch;

use crate::form;

/// A part of the evidence.
type Part = (&'static str, fn(&mut Evidence) -> Vec<&mut u8>);

const PARTS: [Part; 4] = [
    ("message", |it| it.message.iter_mut().collect()),
    ("signature", |it| it.signature.iter_mut().collect()),
    ("nonce", |it| it.nonce.iter_mut().collect()),
    ("registers", |it| {
        let values = it.registers.iter_mut().map(|(_, value)| value);
        values.flatten().collect()
    }),
];

/// How many changes were tried, all of them refused, while the evidence as it is was accepted.
pub fn every_changed_byte_is_refused(evidence: &Evidence) -> anyhow::Result<usize> {
    let scratch = Scratch::new()?;
    let is_accepted = |evidence: &Evidence| -> anyhow::Result<bool> {
        let files = evidence.write(scratch.path())?;
        Ok(tools::check_quote(&files, &evidence.nonce)?.success)
    };
    ensure!(is_accepted(evidence)?, "it is refused as it is");
    let bits = form::cases(vec![0], || (0..8).collect());
    let mut changes = 0;
    for (name, part) in PARTS {
        let count = part(&mut evidence.clone()).len();
        ensure!(count > 0, "there is no {name}");
        for at in 0..count {
            for bit in &bits {
                let mut changed = evidence.clone();
                // Another bit in each byte, so that not all short runs leave out the same ones.
                let bit = (bit + at) % 8;
                *part(&mut changed)[at] ^= 1 << bit;
                let is_accepted = is_accepted(&changed)
                    .with_context(|| format!("bit {bit} of byte {at} of the {name}"))?;
                ensure!(
                    !is_accepted,
                    "bit {bit} of byte {at} of the {name} does not matter: {}",
                    hex(&changed.signature)
                );
                changes += 1;
            }
        }
    }
    Ok(changes)
}
