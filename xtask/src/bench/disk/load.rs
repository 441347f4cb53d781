//! The loads, as RayOS and as fio name them.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::linux_guest;
use crate::bench::guest::{Guest, table};

/// How long each load runs, each time.
pub const SECONDS: u64 = 2;
/// Until it is over; a loaded host takes its time.
const WITHIN: Duration = Duration::from_secs(60);
const DEPTHS: [u64; 2] = [1, 32];

pub struct Load {
    /// What RayOS calls it.
    name: &'static str,
    depth: u64,
    /// What fio calls it.
    kind: &'static str,
    block: &'static str,
    is_synced: bool,
}

macro_rules! loads {
    ($($name:literal $kind:literal $block:literal;)+) => {
        &[
            $(
                load($name, $kind, $block, DEPTHS[0]),
                load($name, $kind, $block, DEPTHS[1]),
            )+
            Load { is_synced: true, ..load("sync-write-4k", "write", "4k", 1) },
        ]
    };
}

const fn load(name: &'static str, kind: &'static str, block: &'static str, depth: u64) -> Load {
    Load {
        name,
        depth,
        kind,
        block,
        is_synced: false,
    }
}

pub const LOADS: &[Load] = loads! {
    "read-4k" "read" "4k";
    "randread-4k" "randread" "4k";
    "write-4k" "write" "4k";
    "randwrite-4k" "randwrite" "4k";
    "read-128k" "read" "128k";
    "randread-128k" "randread" "128k";
    "write-128k" "write" "128k";
    "randwrite-128k" "randwrite" "128k";
};

impl Load {
    pub fn conditions(&self) -> String {
        format!("{}, depth {}", self.name, self.depth)
    }

    pub fn requests_per_s(&self, guest: &mut Guest) -> anyhow::Result<f64> {
        match guest.is_rayos() {
            true => self.measure_rayos(guest),
            false => self.measure_linux(guest),
        }
    }

    fn measure_rayos(&self, guest: &mut Guest) -> anyhow::Result<f64> {
        let line = format!("disk bench disk0 {SECONDS} {} {}", self.name, self.depth);
        let document = guest.ask_rayos(&line, WITHIN)?;
        rate_of(&document, self.name, self.depth)
            .with_context(|| format!("no figure of {} in {document}", self.name))
    }

    fn measure_linux(&self, guest: &mut Guest) -> anyhow::Result<f64> {
        let sync = if self.is_synced { " --fdatasync=1" } else { "" };
        let line = format!(
            "--rw={} --bs={} --iodepth={} --runtime={SECONDS}{sync}",
            self.kind, self.block, self.depth
        );
        let said = guest.tell_linux(&line, linux_guest::END, WITHIN)?;
        rate_in_terse(&said).with_context(|| format!("fio says no rate: {}", said.trim()))
    }
}

/// In RayOS's answer, the requests a second of this load.
fn rate_of(document: &Value, name: &str, depth: u64) -> Option<f64> {
    let table = table(document, "loads")?;
    let columns = table["columns"].as_array()?;
    let place = |name: &str| columns.iter().position(|column| column == name);
    let (load, deep, rate) = (place("load")?, place("depth")?, place("requests_per_s")?);
    let mut rows = table["rows"].as_array()?.iter();
    let row = rows.find(|row| row[load] == name && row[deep] == depth)?;
    row[rate].as_f64()
}

/// In fio's terse format, version 3: the rates of reads and of writes, one of which is zero.
fn rate_in_terse(said: &str) -> Option<f64> {
    const READS: usize = 7;
    const WRITES: usize = 48;
    let line = said.lines().find(|line| line.starts_with("3;fio-"))?;
    let fields: Vec<&str> = line.split(';').collect();
    let rate = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(rate(READS)? + rate(WRITES)?).filter(|rate| *rate > 0.0)
}

/// A disk that is not blank would not be written to.
pub fn check_rayos(guest: &mut Guest) -> anyhow::Result<()> {
    // Without a code it only shows what is on the disk, as soon as that is known.
    guest.ask_rayos("storage format disk0", WITHIN)?;
    let document = guest.ask_rayos("storage status", WITHIN)?;
    let is_blank = document.to_string().contains("\"blank\"");
    if !is_blank {
        bail!("RayOS does not take its disk for blank: {document}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rate_is_found_in_both_kinds_of_answers() {
        let mut fields = vec!["0"; 60];
        fields[0] = "3";
        fields[1] = "fio-3.33";
        fields[48] = "1234";
        let said = format!("some warning\r\n{}\r\n", fields.join(";"));
        assert_eq!(rate_in_terse(&said), Some(1234.0));
        assert_eq!(rate_in_terse("nothing"), None);
        let document = json!({"report": [{"title": "loads",
            "columns": ["load", "depth", "requests_per_s"],
            "rows": [["read-4k", 1, 5], ["read-4k", 32, 7]]}]});
        assert_eq!(rate_of(&document, "read-4k", 32), Some(7.0));
        assert_eq!(rate_of(&document, "randread-4k", 32), None);
    }
}
