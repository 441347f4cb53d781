//! What a disk holds that loses its power again and again, as it should be.

use std::collections::BTreeMap;

use rayos_kernel::base::prng::Prng;

/// The volume for objects, which whoever makes the disk makes as well.
pub const VOLUME: &str = "things";
const FILES: u64 = 5;
const KEYS: u64 = 6;
const SNAPSHOTS: u64 = 3;

pub type Texts = BTreeMap<String, String>;

/// By name: files, objects, and the objects of each snapshot, which are found when one is restored.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub files: Texts,
    pub objects: Texts,
    pub snapshots: BTreeMap<String, Texts>,
    acts: u64,
}

/// A command that changes the disk.
#[derive(Clone, Debug)]
pub enum Act {
    Put { file: String, text: String },
    Append { file: String, text: String },
    Remove { file: String },
    PutObject { key: String, text: String },
    RemoveObject { key: String },
    Snapshot { name: String },
    Restore { name: String },
    Delete { name: String },
}

impl Act {
    pub fn command(&self) -> String {
        match self {
            Act::Put { file, text } => format!("put {file} {text}"),
            Act::Append { file, text } => format!("append {file} {text}"),
            Act::Remove { file } => format!("rm {file}"),
            Act::PutObject { key, text } => format!("storage put {VOLUME} {key} {text}"),
            Act::RemoveObject { key } => format!("storage remove {VOLUME} {key}"),
            Act::Snapshot { name } => format!("storage snapshot {VOLUME} {name}"),
            Act::Restore { name } => format!("storage restore {VOLUME} {name}"),
            Act::Delete { name } => format!("storage delete {name}"),
        }
    }
}

impl State {
    /// One of the acts that are possible now.
    pub fn choose(&self, prng: &mut Prng) -> Act {
        let file = format!("file-{}.txt", prng.below(FILES));
        let key = format!("key-{}", prng.below(KEYS));
        let name = format!("snap-{}", prng.below(SNAPSHOTS));
        let text = noise(prng);
        let has_snapshot = self.snapshots.contains_key(&name);
        match prng.below(10) {
            0 if self.files.contains_key(&file) => Act::Remove { file },
            0 | 1 => Act::Put { file, text },
            2 | 3 => Act::Append { file, text },
            4 if self.objects.contains_key(&key) => Act::RemoveObject { key },
            5 if has_snapshot => Act::Delete { name },
            6 if has_snapshot => Act::Restore { name },
            5..=7 if !has_snapshot => Act::Snapshot { name },
            _ => Act::PutObject { key, text },
        }
    }

    pub fn apply(&mut self, act: &Act) {
        self.acts += 1;
        match act.clone() {
            Act::Put { file, text } => drop(self.files.insert(file, text + "\n")),
            Act::Append { file, text } => {
                let content = self.files.entry(file).or_default();
                content.push_str(&text);
                content.push('\n');
            }
            Act::Remove { file } => drop(self.files.remove(&file)),
            Act::PutObject { key, text } => drop(self.objects.insert(key, text)),
            Act::RemoveObject { key } => drop(self.objects.remove(&key)),
            Act::Snapshot { name } => drop(self.snapshots.insert(name, self.objects.clone())),
            Act::Restore { name } => self.objects = self.snapshots[&name].clone(),
            Act::Delete { name } => drop(self.snapshots.remove(&name)),
        }
    }

    /// How many acts were applied.
    pub fn acts(&self) -> u64 {
        self.acts
    }

    /// What is here and was not found, and what was found and is not here.
    pub fn difference(&self, seen: &State) -> String {
        let mut text = String::new();
        for (own, seen) in [(&self.files, &seen.files), (&self.objects, &seen.objects)] {
            for (name, content) in own
                .iter()
                .filter(|(name, content)| seen.get(*name) != Some(content))
            {
                text += &format!("\n  - {name}: {content:?}");
            }
            for (name, content) in seen
                .iter()
                .filter(|(name, content)| own.get(*name) != Some(content))
            {
                text += &format!("\n  + {name}: {content:?}");
            }
        }
        let names = |state: &State| {
            state
                .snapshots
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(" ")
        };
        if names(self) != names(seen) {
            text += &format!("\n  snapshots {} and not {}", names(self), names(seen));
        }
        text
    }

    /// Is that what was found?
    pub fn is_seen_in(&self, seen: &State) -> bool {
        self.files == seen.files
            && self.objects == seen.objects
            && self.snapshots.keys().eq(seen.snapshots.keys())
    }
}

/// Letters without blanks, now and then a lot of them.
fn noise(prng: &mut Prng) -> String {
    let length = match prng.one_in(4) {
        true => 100 + prng.below(700),
        false => 1 + prng.below(40),
    };
    let letter = |_| char::from(b'a' + prng.below(26) as u8);
    (0..length).map(letter).collect()
}
