//! `bench`: how long RayOS and a peer take for the same, in the same QEMU, in the same run.

mod boot;
mod comparison;
mod disk;
mod guest;
mod host;
pub mod linux;
mod net;
mod quantity;
mod statistics;

use std::process::ExitCode;

pub use comparison::{Bench, Comparison, Contender};

use crate::doctor::{self, Purpose};
use crate::outcome::Outcome;

/// Measure against a peer and print medians, spread, ratio and the exact command lines
#[derive(clap::Args, Debug)]
pub struct Options {
    /// What is measured
    #[arg(value_enum)]
    name: Name,

    /// How often each contender runs
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Name {
    /// From starting QEMU to the prompt; Linux to its first process
    Boot,
    /// Reads and writes of a disk, in order and anywhere, one and many at the same time, and synced
    Disk,
    /// TCP, UDP and HTTP between this host and a guest
    Net,
}

pub fn command(options: &Options) -> anyhow::Result<ExitCode> {
    doctor::provide(&[Purpose::Benchmarks])?;
    let bench = match options.name {
        Name::Boot => boot::bench()?,
        Name::Disk => disk::bench()?,
        Name::Net => net::bench()?,
    };
    let results = bench.run(options.runs)?;
    if options.json {
        println!("{}", results.as_json());
    } else {
        print!("{}", results.as_text());
    }
    Ok(Outcome::Success.into())
}
