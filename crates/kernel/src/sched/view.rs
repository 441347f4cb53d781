//! The threads: plain data for tables and checks.

use crate::base::fixed::{Text, Vec};
use crate::base::time::Duration;
use crate::limits::{THREAD_NAME_MAX, THREADS_MAX};

#[derive(Clone, Debug, Default)]
pub struct ThreadsView {
    pub threads: Vec<ThreadView, THREADS_MAX>,
    /// Threads that could not be started because the table was full.
    pub refused: u64,
    pub high_water: usize,
}

#[derive(Clone, Debug)]
pub struct ThreadView {
    pub id: u64,
    pub name: Text<THREAD_NAME_MAX>,
    /// `running`, `ready`, `sleeping`, `parked`.
    pub state: &'static str,
    /// Higher runs first.
    pub priority: u8,
    pub core: usize,
    /// May it only run on that core?
    pub is_pinned: bool,
    pub run_time: Duration,
    pub switches: u64,
    pub stack_bytes: u64,
    /// The deepest use of the stack so far.
    pub stack_high_water_bytes: u64,
}
