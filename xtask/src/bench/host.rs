//! The machine on which something was measured.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::deadline::Deadline;
use crate::process;
use crate::qemu;

/// What belongs beside every figure.
#[derive(Clone, Debug)]
pub struct Host {
    processor: Option<String>,
    cores: Option<usize>,
    qemu: Option<String>,
    accelerator: &'static str,
}

impl Host {
    pub fn inspect() -> Host {
        let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let asked = process::ask(
            Command::new(qemu::PROGRAM).arg("--version"),
            Deadline::after(Duration::from_secs(10)),
        );
        let version = asked
            .ok()
            .and_then(|said| said.stdout.lines().next().map(str::to_string));
        Host {
            processor: name.map(|(_, name)| name.trim().to_string()),
            cores: std::thread::available_parallelism()
                .ok()
                .map(|cores| cores.get()),
            qemu: version,
            accelerator: if qemu::can_use_kvm() { "kvm" } else { "tcg" },
        }
    }

    pub fn as_json(&self) -> Value {
        json!({
            "processor": self.processor,
            "cores": self.cores,
            "qemu": self.qemu,
            "accelerator": self.accelerator,
        })
    }

    pub fn as_text(&self) -> String {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_string());
        let cores = self
            .cores
            .map_or_else(|| "unknown".to_string(), |cores| cores.to_string());
        format!(
            "{}, {cores} cores, {}, {}",
            known(&self.processor),
            known(&self.qemu),
            self.accelerator
        )
    }
}
