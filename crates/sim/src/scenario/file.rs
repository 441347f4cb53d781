//! A scenario file as steps; what is not a step is kept as it stands.

use rayos_kernel::base::time::Duration;

/// Where a scenario is meant to run when not everywhere (`# only: sim`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Only {
    Sim,
    Qemu,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A comment or an empty line.
    Other(String),
    Command(Command),
    /// `@ 150ms`
    Advance {
        text: String,
        span: Duration,
    },
    /// `! cut 1 2`
    Act {
        text: String,
        action: String,
    },
}

/// `> command`, `----`, the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub line: String,
    pub expected: Vec<String>,
    /// Where it stands in the file.
    pub number: usize,
}

impl Item {
    /// The item as it stands in the file; `None` for a command, whose answer may change.
    pub fn verbatim(&self) -> Option<String> {
        match self {
            Self::Other(text) | Self::Advance { text, .. } | Self::Act { text, .. } => {
                Some(text.clone())
            }
            Self::Command(_) => None,
        }
    }
}

pub struct Scenario {
    /// For messages: the file's name.
    pub name: String,
    pub only: Option<Only>,
    /// What the kernel's command line must say besides `shell=framed`.
    pub command_line: String,
    /// Sizes of the simulated machine's disks (`# disk: 24 MiB` for each), when there is not the
    /// usual one.
    pub disks_mebibytes: Vec<u64>,
    pub items: Vec<Item>,
}

impl Scenario {
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut scenario = Self {
            name: name.to_string(),
            only: None,
            command_line: String::new(),
            disks_mebibytes: Vec::new(),
            items: Vec::new(),
        };
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let number = index + 1;
            let wrong = |what: &str| Err(format!("{name}:{number}: {what}"));
            if let Some(command) = line.strip_prefix("> ") {
                match lines.next() {
                    Some((_, "----")) => {}
                    _ => return wrong("the line behind a command is ----"),
                }
                let mut answer = Vec::new();
                while let Some((_, line)) = lines.next_if(|(_, line)| !is_step(line)) {
                    answer.push(line.to_string());
                }
                let blank = answer.iter().rev().take_while(|line| line.is_empty());
                let expected_count = answer.len() - blank.count();
                let behind = answer.split_off(expected_count);
                scenario.items.push(Item::Command(Command {
                    line: command.to_string(),
                    expected: answer,
                    number,
                }));
                scenario.items.extend(behind.into_iter().map(Item::Other));
            } else if let Some(span) = line.strip_prefix("@ ") {
                let Some(span) = parse_span(span) else {
                    return wrong("a span is a number with ns, us, ms or s, such as 150ms");
                };
                let text = line.to_string();
                scenario.items.push(Item::Advance { text, span });
            } else if let Some(action) = line.strip_prefix("! ") {
                scenario.items.push(Item::Act {
                    text: line.to_string(),
                    action: action.to_string(),
                });
            } else if line.is_empty() || line.starts_with('#') {
                if let Err(what) = scenario.read_comment(line) {
                    return wrong(what);
                }
                scenario.items.push(Item::Other(line.to_string()));
            } else {
                return wrong("a line is a command (>), a span (@), an act (!) or a comment (#)");
            }
        }
        Ok(scenario)
    }

    fn read_comment(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some(place) = line.strip_prefix("# only: ") {
            self.only = Some(match place {
                "sim" => Only::Sim,
                "qemu" => Only::Qemu,
                _ => return Err("a scenario is for sim or qemu only"),
            });
        }
        if let Some(command_line) = line.strip_prefix("# cmdline: ") {
            self.command_line = command_line.to_string();
        }
        if let Some(size) = line.strip_prefix("# disk: ") {
            let mebibytes = size.strip_suffix(" MiB").and_then(|size| size.parse().ok());
            let mebibytes = mebibytes.ok_or("a disk has a size such as 24 MiB")?;
            self.disks_mebibytes.push(mebibytes);
        }
        Ok(())
    }
}

fn is_step(line: &str) -> bool {
    ["> ", "@ ", "! ", "#"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

fn parse_span(text: &str) -> Option<Duration> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let count: u64 = text[..end].parse().ok()?;
    match text[end..].trim() {
        "ns" => Some(Duration::from_nanos(count)),
        "us" => Some(Duration::from_micros(count)),
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_into_steps_and_nothing_is_lost() {
        let text = "# only: sim\n# cmdline: debug=1\n> a b\n----\none\n\ntwo\n\n# note\n@ 150ms\n! cut 1 2\n> c\n----\n";
        let scenario = Scenario::parse("x", text).unwrap();
        assert_eq!(scenario.only, Some(Only::Sim));
        assert_eq!(scenario.command_line, "debug=1");
        let Item::Command(command) = &scenario.items[2] else {
            panic!("{:?}", scenario.items);
        };
        assert_eq!((command.line.as_str(), command.number), ("a b", 3));
        assert_eq!(command.expected[..], ["one", "", "two"]);
        assert_eq!(scenario.items.len(), 8);
    }

    #[test]
    fn what_is_no_step_is_refused_with_its_place() {
        for (text, place) in [
            ("> a\nb\n", "x:1:"),
            ("\nhello\n", "x:2:"),
            ("@ soon\n", "x:1:"),
            ("# only: mars\n", "x:1:"),
            ("# disk: large\n", "x:1:"),
        ] {
            let error = Scenario::parse("x", text).err().unwrap();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
