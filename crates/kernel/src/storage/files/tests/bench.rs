//! A disk with a fresh volume, and commands that run until they are answered.

use super::super::{Act, Files, Wish};
use super::checker::check;
use crate::base::disk::DiskOperation;
use crate::base::file_sink::FileSink;
use crate::base::operation::{OperationId, Operations, Performer};
use crate::base::prng::Prng;
use crate::base::report::{Report, Value};
use crate::base::time::Instant;
use crate::limits::FILE_WORKS_MAX;
use crate::storage::fat::{Format, Kind};
use crate::storage::io::Submit;
use crate::storage::region::Region;
use crate::storage::rig::Rig;
use std::string::String;
use std::vec;
use std::vec::Vec;

/// Sectors before the partition: what is wrong by them is seen.
pub const FIRST: u64 = 7;
/// Steps after which something goes on for ever.
const STEPS_MAX: usize = 200_000;

/// What the disk has carried out.
#[derive(Clone, Debug)]
pub enum Event {
    /// Sectors from there on.
    Write(u64, Vec<u8>),
    Flush,
}

pub struct Bench {
    pub events: Vec<Event>,
    pub files: Files,
    pub rig: Rig,
    pub region: Region,
    operations: Operations,
}

/// A volume of that kind, as small as it may be.
pub fn format(kind: Kind) -> Format {
    let (sectors, a_cluster) = match kind {
        Kind::Fat12 => (2000, 2),
        Kind::Fat16 => (6000, 1),
        Kind::Fat32 => (3000, 1),
    };
    Format::of(
        kind,
        a_cluster,
        (sectors, FIRST, 0x1234_5678, b"RAYOS      "),
    )
}

impl Bench {
    pub fn new(kind: Kind) -> Self {
        let format = format(kind);
        let sectors = format.sectors();
        let mut rig = Rig::new(&[FIRST + sectors + 3]);
        for sector in 0..format.written() {
            let mut bytes = [0; 512];
            format.fill(sector, &mut bytes);
            let at = (FIRST + sector) as usize * 512;
            rig.disks[0][at..at + 512].copy_from_slice(&bytes);
        }
        Self::on(rig, sectors)
    }

    /// On a disk with something on it.
    pub fn on(mut rig: Rig, sectors: u64) -> Self {
        let region = Region {
            disk: 0,
            first: FIRST,
            sectors,
        };
        let mut files = Files::default();
        files.mount(region, &mut rig);
        Self {
            events: Vec::new(),
            files,
            rig,
            region,
            operations: Operations::default(),
        }
    }

    pub fn volume(&self) -> &[u8] {
        let end = FIRST + self.region.sectors;
        &self.rig.disks[0][FIRST as usize * 512..end as usize * 512]
    }

    pub fn open(&mut self) -> OperationId {
        let limit = super::super::LIMIT;
        let id = self.operations.open(Instant::ZERO, limit);
        let id = id.expect("the bench closes what it opens");
        self.operations.withdraw(id);
        id
    }

    /// Lets the machine and its disk go on once.
    pub fn turn(&mut self) {
        self.files.step(Instant::ZERO, &mut self.rig);
        self.record();
        if let Some(done) = self.rig.answer() {
            self.files.on_done(Instant::ZERO, done);
        }
    }

    fn record(&mut self) {
        let Some(request) = self.rig.waiting.front() else {
            return;
        };
        match (request.operation, &request.data) {
            (DiskOperation::Write, Some(data)) => {
                let bytes = &data.bytes()[..request.sectors as usize * 512];
                self.events.push(Event::Write(request.sector, bytes.into()));
            }
            (DiskOperation::Flush, _) => self.events.push(Event::Flush),
            _ => {}
        }
    }

    /// Runs it to its end; what it answers, line by line.
    pub fn run(&mut self, path: &str, act: Act) -> Result<String, String> {
        let wish = Wish::new(path, act).map_err(|error| error.to_string())?;
        let id = self.open();
        self.files.start(id, wish)?;
        self.answer(id)
    }

    pub fn answer(&mut self, id: OperationId) -> Result<String, String> {
        let mut report = Report::new();
        for _ in 0..STEPS_MAX {
            self.turn();
            if self.files.maybe_answer(id, &mut report) {
                return match report.error() {
                    Some(error) => Err(error.into()),
                    None => Ok(text(&report)),
                };
            }
            let deadline = self.files.next_deadline(Instant::ZERO);
            let is_alive = deadline.is_some() || !self.rig.waiting.is_empty();
            assert!(is_alive, "it waits for nothing");
        }
        panic!("no answer after {STEPS_MAX} steps");
    }

    /// Brings what it still does to an end.
    pub fn settle(&mut self) {
        for _ in 0..STEPS_MAX {
            self.turn();
            let is_still = self.files.next_deadline(Instant::ZERO).is_none();
            if is_still && self.rig.waiting.is_empty() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    pub fn put(&mut self, path: &str, text: &str) -> Result<String, String> {
        let text = text.into();
        self.run(path, Act::Put { text })
    }

    pub fn append(&mut self, path: &str, text: &str) -> Result<String, String> {
        let text = text.into();
        self.run(path, Act::Append { text })
    }

    /// Writes a file as `net fetch` does.
    pub fn receive(&mut self, path: &str, contents: &[u8]) -> Result<u64, String> {
        let wish = Wish::new(path, Act::Receive).map_err(|error| error.to_string())?;
        let id = self.open();
        self.files.start(id, wish)?;
        let mut left = contents;
        for _ in 0..STEPS_MAX {
            let taken = self.files.take(id, left);
            left = &left[taken..];
            if left.is_empty() {
                self.files.end(id);
            }
            self.turn();
            if let Some(outcome) = self.files.outcome(id) {
                self.settle();
                return outcome.map_err(|error| error.as_str().into());
            }
        }
        panic!("the file never ended");
    }

    /// Free clusters as `df` counts them.
    pub fn free(&mut self) -> u64 {
        self.run("", Act::Measure).expect("the volume is well");
        match self.files.view().state {
            super::super::FilesState::Mounted(measured) => {
                u64::from(measured.free.expect("they were counted"))
            }
            state => panic!("{state:?}"),
        }
    }

    pub fn is_idle(&self) -> bool {
        self.files.view().works == 0 && self.rig.space(0) > 0 && FILE_WORKS_MAX > 0
    }
}

pub fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for block in report.blocks() {
        for row in 0..block.row_count() {
            let cells = (0..block.columns().len()).map(|column| match block.value(row, column) {
                Value::Text(text) => text.into(),
                Value::Count(count) => std::format!("{count}"),
                _ => String::from("-"),
            });
            lines.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    lines.join("\n")
}

/// Everything is in order, and this is what is there.
pub fn expect(bench: &Bench, files: &[(&str, &[u8])]) {
    let contents = check(bench.volume()).expect("the volume keeps the rules");
    let found: Vec<_> = contents
        .files
        .iter()
        .map(|(path, bytes)| (&**path, &**bytes))
        .collect();
    assert_eq!(found, files);
    assert_eq!((contents.lost, contents.trailing), (0, 0));
    assert!(contents.are_tables_alike);
}

pub fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    Prng::new(bytes as u64).fill(&mut noise);
    noise
}
