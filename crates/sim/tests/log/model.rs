//! What a log may hold after a power cut, as a naive list says it.

/// Records by their numbers, from 1 on, in all the versions that may be on the disk.
#[derive(Clone, Default, Debug)]
pub struct Model {
    /// The last is the one that the log shows; the others are from before a truncation
    /// that is perhaps not on the disk yet.
    versions: Vec<Vec<Vec<u8>>>,
    /// Records up to here must be there.
    durable: usize,
    /// Records from here on must be there.
    keep_from: usize,
    /// All that was ever appended.
    everything: Vec<(u64, Vec<u8>)>,
}

impl Model {
    pub fn new() -> Self {
        Self {
            versions: vec![Vec::new()],
            durable: 0,
            keep_from: 1,
            everything: Vec::new(),
        }
    }

    /// What a recovery gave is what there is now.
    pub fn of_recovered(first: u64, recovered: &[(u64, Vec<u8>)], keep_from: u64) -> Self {
        let mut records = vec![Vec::new(); first as usize - 1];
        records.extend(recovered.iter().map(|(_, bytes)| bytes.clone()));
        Self {
            durable: records.len(),
            versions: vec![records],
            keep_from: keep_from as usize,
            everything: recovered.to_vec(),
        }
    }

    fn current(&mut self) -> &mut Vec<Vec<u8>> {
        self.versions.last_mut().expect("there is always one")
    }

    pub fn append(&mut self, record: Vec<u8>) -> u64 {
        let current = self.current();
        current.push(record.clone());
        let lsn = current.len() as u64;
        self.everything.push((lsn, record));
        lsn
    }

    pub fn truncate(&mut self, keep_through: u64) {
        let mut version = self.current().clone();
        version.truncate(keep_through as usize);
        self.versions.push(version);
        self.durable = self.durable.min(keep_through as usize);
    }

    /// Those of that range that the log shows.
    pub fn records(&self, from: u64, through: u64) -> Vec<(u64, Vec<u8>)> {
        let current = self.versions.last().expect("there is always one");
        let numbered = (1..).zip(current);
        let is_in = |(lsn, _): &(u64, &Vec<u8>)| (from..=through).contains(lsn);
        let numbered = numbered.filter(is_in);
        numbered
            .map(|(lsn, record)| (lsn, record.clone()))
            .collect()
    }

    pub fn checkpoint(&mut self, keep_from: u64) {
        self.keep_from = self.keep_from.max(keep_from as usize);
    }

    /// The log says that all up to there is safe; `is_cut` when no truncation waits.
    pub fn on_durable(&mut self, through: u64, is_cut: bool) {
        self.durable = through as usize;
        if is_cut {
            self.versions.drain(..self.versions.len() - 1);
        }
    }

    pub fn durable(&self) -> u64 {
        self.durable as u64
    }

    /// Was any of it never appended, in no version?
    pub fn invented(&self, recovered: &[(u64, Vec<u8>)]) -> bool {
        let is_known = |lsn: u64, bytes: &Vec<u8>| {
            let mut all = self.everything.iter();
            all.any(|(known, record)| *known == lsn && record == bytes)
        };
        recovered.iter().any(|(lsn, bytes)| !is_known(*lsn, bytes))
    }

    /// Is that what a power cut may leave? `None` when it is.
    pub fn objection(&self, recovered: &[(u64, Vec<u8>)]) -> Option<String> {
        let Some((first, _)) = recovered.first() else {
            let is_needed = self.durable >= self.keep_from;
            return is_needed.then(|| format!("nothing is left of {self:?}"));
        };
        let first = *first as usize;
        let last = first + recovered.len() - 1;
        let numbers = recovered.iter().map(|(lsn, _)| *lsn as usize);
        if !numbers.eq(first..=last) {
            return Some("the records are not in their order".to_string());
        }
        if first > self.keep_from {
            return Some(format!("begins at {first} instead of {}", self.keep_from));
        }
        if last < self.durable {
            return Some(format!(
                "ends at {last}; {} were acknowledged",
                self.durable
            ));
        }
        let is_version = |version: &&Vec<Vec<u8>>| {
            let records = version.get(first - 1..last);
            records
                .is_some_and(|records| records.iter().eq(recovered.iter().map(|(_, bytes)| bytes)))
        };
        match self.versions.iter().any(|version| is_version(&version)) {
            true => None,
            false => Some(format!("{first} to {last} were never appended like that")),
        }
    }
}
