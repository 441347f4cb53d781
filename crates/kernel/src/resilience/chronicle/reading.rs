//! What people want to see of earlier boots is read from the disk.

use super::{Chronicle, Message};
use crate::base::operation::OperationId;
use crate::base::report::{Report, Value};
use crate::limits::{CHRONICLE_ANSWER_BYTES, CHRONICLE_SHOWN_MAX};
use crate::security::audit::AuditTrail;
use crate::security::audit::kept::{KeptCheck, KeptFinding, Record};
use crate::storage::Logs;
use crate::storage::io::IoError;
use crate::storage::log::{Damage, Log, LogError, Lsn, ReadEnd};
use alloc::vec::Vec;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// The newest entries of the trail from before this boot.
    Trail { count: u64 },
    /// The messages of the boot before this one.
    Messages,
    /// Does the kept trail hold?
    Check,
}

/// Which records a wish is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// It is not known yet.
    Unknown,
    Nothing,
    Records(Lsn, Lsn),
}

/// Why nothing is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Nothing,
    Log(LogError),
}

pub struct Run {
    /// `None` once nobody waits.
    by: Option<OperationId>,
    wish: Wish,
    is_reading: bool,
    /// Records with their lengths before them.
    records: Vec<u8>,
    check: KeptCheck,
    finding: Option<KeptFinding>,
    end: Option<Result<(), Trouble>>,
    /// What a check cannot read, and why.
    damage: Option<Damage>,
}

impl Run {
    pub fn new(id: OperationId, wish: Wish) -> Self {
        Self {
            by: Some(id),
            wish,
            is_reading: false,
            records: Vec::new(),
            check: KeptCheck::default(),
            finding: None,
            end: None,
            damage: None,
        }
    }

    pub fn is_for(&self, id: OperationId) -> bool {
        self.by == Some(id)
    }

    pub const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    pub const fn wish(&self) -> Wish {
        self.wish
    }

    fn log<'l>(&self, logs: &'l mut Logs) -> &'l mut Log {
        match self.wish {
            Wish::Messages => &mut logs.messages,
            Wish::Trail { .. } | Wish::Check => &mut logs.audit,
        }
    }

    /// The disk went.
    pub fn on_gone(&mut self) {
        let error = LogError::Disk(IoError::NoDisk);
        self.end = self.end.or(Some(Err(Trouble::Log(error))));
    }

    /// Nobody wants it any more; a reading that was begun goes to its end unheard.
    pub fn forget(&mut self) {
        self.by = None;
        if !self.is_reading {
            self.end = Some(Ok(()));
        }
    }

    pub fn is_over(&self) -> bool {
        self.by.is_none() && self.end.is_some()
    }

    pub fn step(&mut self, logs: &mut Logs, range: Range, boot: u64, trail: &AuditTrail) {
        if self.end.is_some() {
            return;
        }
        let log = self.log(logs);
        if !self.is_reading {
            match self.begin(log, range) {
                Ok(()) => self.is_reading = true,
                Err(Trouble::Log(LogError::Busy | LogError::Reading | LogError::Recovering)) => {}
                Err(trouble) => self.end = Some(Err(trouble)),
            }
            return;
        }
        let end = log.take_read(&mut |lsn, record| self.take(lsn, record));
        match end {
            None => {}
            Some(ReadEnd::Through(_)) => {
                if self.wish == Wish::Check && self.finding.is_none() {
                    self.finding = self.check.end(boot, trail.chain()).err();
                }
                self.end = Some(Ok(()));
            }
            Some(ReadEnd::Damaged(damage)) => {
                self.damage = Some(damage);
                self.end = Some(Err(Trouble::Log(LogError::Damaged)));
            }
            Some(ReadEnd::Failed(error)) => self.end = Some(Err(Trouble::Log(error))),
            Some(ReadEnd::Cut | ReadEnd::Gone) => {
                self.end = Some(Err(Trouble::Log(LogError::OutOfRange)));
            }
        }
    }

    fn begin(&mut self, log: &mut Log, range: Range) -> Result<(), Trouble> {
        let (from, through) = match range {
            Range::Unknown if log.is_open() => return Err(Trouble::Log(LogError::Busy)),
            // The log says why nothing can be read.
            Range::Unknown => (log.first_lsn(), log.first_lsn()),
            Range::Nothing => return Err(Trouble::Nothing),
            Range::Records(from, through) => (from, through),
        };
        let wanted = match self.wish {
            Wish::Check => 0,
            Wish::Trail { .. } | Wish::Messages => CHRONICLE_ANSWER_BYTES,
        };
        // Before it begins: a reading that nobody takes is in the way of all others.
        let reserved = self.records.try_reserve_exact(wanted);
        reserved.map_err(|_| Trouble::Log(LogError::NoMemory))?;
        log.read(from, through).map_err(Trouble::Log)
    }

    fn take(&mut self, lsn: Lsn, record: &[u8]) {
        if self.wish == Wish::Check {
            if self.finding.is_none() {
                self.finding = self.check.step(lsn.0, record).err();
            }
            return;
        }
        let bytes = 2 + record.len();
        if self.records.len() + bytes <= self.records.capacity() {
            self.records
                .extend_from_slice(&(record.len() as u16).to_le_bytes());
            self.records.extend_from_slice(record);
        }
    }

    /// Can it go on without an answer of the disk?
    pub fn is_due(&self, logs: &Logs, range: Range) -> bool {
        let log = match self.wish {
            Wish::Messages => &logs.messages,
            Wish::Trail { .. } | Wish::Check => &logs.audit,
        };
        let may_go_on = match self.is_reading {
            true => log.is_read_ready(),
            false => log.may_read() && (range != Range::Unknown || !log.is_open()),
        };
        self.end.is_none() && may_go_on
    }

    pub fn report(&self, report: &mut Report) {
        match (self.end, &self.finding) {
            (Some(Err(Trouble::Nothing)), _) => report.fail(format_args!("{}", Chronicle::NOTHING)),
            (Some(Err(Trouble::Log(error))), _) => match self.damage {
                Some(damage) => report.fail(format_args!("what is kept is damaged: {damage}")),
                None => report.fail(format_args!("what is kept cannot be read: {error}")),
            },
            (_, Some(finding)) => {
                report.fail(format_args!("the kept trail does not hold: {finding}"));
            }
            _ => match self.wish {
                Wish::Check => self.report_check(report),
                Wish::Trail { .. } => self.report_trail(report),
                Wish::Messages => self.report_messages(report),
            },
        }
    }

    fn report_check(&self, report: &mut Report) {
        report
            .fields("kept on disk")
            .text("result", "the chain holds")
            .count("entries", self.check.entries)
            .count("boots", self.check.boots);
    }

    fn report_trail(&self, report: &mut Report) {
        let columns = &[
            "boot", "number", "at_ns", "level", "kind", "subject", "verb", "object", "outcome",
            "times", "text",
        ];
        let mut table = report.table("entries of earlier boots", columns);
        let mut boot = None;
        for record in self.records() {
            match Record::parse(record) {
                Some(Record::Beginning { from, .. }) => boot = Some(from.boot),
                Some(Record::Entry { bytes, .. }) => {
                    let [level, kind, subject, verb, object, outcome, text] = bytes.texts;
                    table.row(&[
                        boot.into(),
                        bytes.number.into(),
                        bytes.at.into(),
                        level.into(),
                        kind.into(),
                        subject.into(),
                        verb.into(),
                        object.into(),
                        outcome.into(),
                        bytes.times.into(),
                        text.into(),
                    ]);
                }
                None => {}
            }
        }
    }

    fn report_messages(&self, report: &mut Report) {
        let columns = &["at_ns", "level", "source", "text"];
        let mut table = report.table("messages of the boot before", columns);
        for message in self.records().filter_map(Message::parse) {
            table.row(&[
                message.at.into(),
                message.level.name().into(),
                message.source.into(),
                Value::from(message.text),
            ]);
        }
    }

    fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.records[..];
        let records = core::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk()?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (record, behind) = behind.split_at_checked(length)?;
            rest = behind;
            Some(record)
        });
        records.take(CHRONICLE_SHOWN_MAX)
    }
}
