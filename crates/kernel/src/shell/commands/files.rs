//! `ls`, `cat`, `put` and the other commands on files.

use super::{Inspect, Invocation, Outcome, Report};
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::storage::files::{Act, Wish};
use alloc::boxed::Box;
use alloc::string::String;

pub fn list(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::List)
}

pub fn show(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Show)
}

pub fn sum(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Sum)
}

pub fn put(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Put { text: line(call) })
}

pub fn append(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Append { text: line(call) })
}

pub fn remove(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Remove)
}

pub fn make_directory(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::MakeDirectory)
}

pub fn measure(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Measure)
}

pub fn run(call: &Invocation<'_>, _: &mut dyn Inspect, _: &mut Report) -> Outcome {
    ask(call, Act::Script)
}

/// A wish about a path, if it is one.
pub fn wish(path: &str, act: Act) -> Result<Wish, CommandError> {
    Wish::new(path, act).map_err(|error| CommandError::NotAPath {
        word: CommandError::shown(path),
        error,
    })
}

fn ask(call: &Invocation<'_>, act: Act) -> Outcome {
    let wish = wish(call.text(0).unwrap_or_default(), act)?;
    Ok(Some(Intent::Operation(Operation::File(wish))))
}

/// The words behind the file's name with blanks between them, as one line.
fn line(call: &Invocation<'_>) -> Box<str> {
    let words = call.arguments().get(1..).unwrap_or_default();
    if words.is_empty() {
        return Box::default();
    }
    let mut line = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.push('\n');
    line.into_boxed_str()
}
