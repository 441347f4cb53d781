//! What QEMU says that a machine's cores do.

use std::time::Duration;

use serde_json::json;
use xtask::deadline::Deadline;
use xtask::qemu::Machine;

use crate::poll;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Waits until every core has halted with its interrupts off, so that nothing will ever wake it.
pub fn wait_until_halted_for_ever(
    machine: &mut Machine,
    cores: u32,
    within: Duration,
) -> anyhow::Result<()> {
    poll::until("every core halts for ever", within, || {
        let arguments = json!({ "command-line": "info registers -a" });
        let answer = machine.qmp().execute(
            "human-monitor-command",
            arguments,
            Deadline::after(ANSWER_WITHIN),
        )?;
        let halted = count_halted_for_ever(answer.as_str().unwrap_or_default());
        Ok((halted == cores as usize).then_some(()))
    })
}

/// Counts the cores in QEMU's `info registers -a` that are halted and take no interrupts.
fn count_halted_for_ever(registers: &str) -> usize {
    const INTERRUPTS_ON: u64 = 1 << 9;
    let flags_of = |line: &str| {
        let word = line.split_once("RFL=")?.1.split_whitespace().next()?;
        u64::from_str_radix(word, 16).ok()
    };
    let states = registers
        .lines()
        .filter(|line| line.contains("HLT="))
        .filter_map(|line| Some((flags_of(line)?, line.contains("HLT=1"))));
    states
        .filter(|(flags, is_halted)| *is_halted && flags & INTERRUPTS_ON == 0)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_counts_when_it_is_halted_and_deaf() {
        let line = |flags: &str, halted: u32| {
            format!(
                "CPU#0\nRAX=0000000000000000 RBX=0\n\
                 RIP=ffffffff80200000 RFL={flags} [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT={halted}\n"
            )
        };
        let all = [
            line("00000046", 1),
            line("00000246", 1),
            line("00000046", 0),
        ]
        .concat();
        assert_eq!(count_halted_for_ever(&all), 1);
        assert_eq!(count_halted_for_ever("no cores here"), 0);
    }
}
