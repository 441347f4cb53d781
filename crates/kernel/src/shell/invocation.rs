//! A command as it was called: found in the catalog, its arguments checked.

use crate::shell::catalog::{self, Action, Argument, COMMANDS, Command, Kind};
use crate::shell::command_error::CommandError;
use crate::shell::history::History;
use crate::shell::suggest;

/// What a handler is called with; the arguments are of the kinds that the catalog says.
pub struct Invocation<'a> {
    pub command: &'static Command,
    pub action: &'static Action,
    /// The lines that the asking session remembers, where it does.
    pub history: Option<&'a History>,
    arguments: &'a [&'a str],
}

impl<'a> Invocation<'a> {
    /// Finds and checks what the words ask for.
    pub fn resolve(
        words: &'a [&'a str],
        history: Option<&'a History>,
    ) -> Result<Self, CommandError> {
        let (name, rest) = words.split_first().unwrap_or((&"", &[]));
        let command = catalog::find(name).ok_or_else(|| CommandError::UnknownCommand {
            word: CommandError::shown(name),
            meant: suggest::closest(name, COMMANDS.iter().map(|command| command.name)),
        })?;
        let (action, arguments) = find_action(command, rest)?;
        let invocation = Self {
            command,
            action,
            history,
            arguments,
        };
        invocation.check()?;
        Ok(invocation)
    }

    /// The argument at `index`, where it was given.
    pub fn text(&self, index: usize) -> Option<&'a str> {
        self.arguments.get(index).copied()
    }

    /// The number at `index`, where it was given.
    pub fn number(&self, index: usize) -> Option<u64> {
        self.text(index)?.parse().ok()
    }

    pub fn arguments(&self) -> &'a [&'a str] {
        self.arguments
    }

    fn check(&self) -> Result<(), CommandError> {
        let (command, action) = (self.command, self.action);
        for (index, word) in self.arguments.iter().enumerate() {
            let Some(argument) = argument_at(action, index) else {
                return Err(CommandError::TooManyArguments {
                    command,
                    action,
                    word: CommandError::shown(word),
                });
            };
            check_kind(argument, word)?;
        }
        match action.arguments.get(self.arguments.len()) {
            Some(argument) if argument.is_required => Err(CommandError::MissingArgument {
                command,
                action,
                argument,
            }),
            _ => Ok(()),
        }
    }
}

/// What stands at that place, the last argument again when it may be repeated.
pub fn argument_at(action: &'static Action, index: usize) -> Option<&'static Argument> {
    let repeated = action.arguments.last().filter(|last| last.is_repeated);
    action.arguments.get(index).or(repeated)
}

type Found<'a> = (&'static Action, &'a [&'a str]);

fn find_action<'a>(
    command: &'static Command,
    words: &'a [&'a str],
) -> Result<Found<'a>, CommandError> {
    if !command.has_actions() {
        return Ok((&command.actions[0], words));
    }
    let Some(word) = words.first() else {
        return match command.has_default {
            true => Ok((&command.actions[0], words)),
            false => Err(CommandError::MissingAction { command }),
        };
    };
    match command.action_of(words) {
        Some(found) => Ok(found),
        None => Err(CommandError::UnknownAction {
            command,
            word: CommandError::shown(word),
            meant: suggest::closest(word, command.actions.iter().map(|action| action.name)),
        }),
    }
}

fn check_kind(argument: &'static Argument, word: &str) -> Result<(), CommandError> {
    let not_one_of = |meant| CommandError::NotOneOf {
        argument,
        word: CommandError::shown(word),
        meant,
    };
    match argument.kind {
        Kind::Text | Kind::Phrase(_) => Ok(()),
        Kind::Keyword(words) if words.contains(&word) => Ok(()),
        Kind::Keyword(words) => Err(not_one_of(suggest::closest(word, words.iter().copied()))),
        Kind::Command if catalog::find(word).is_some() => Ok(()),
        Kind::Command => {
            let names = COMMANDS.iter().map(|command| command.name);
            Err(not_one_of(suggest::closest(word, names)))
        }
        Kind::Number { least, most } => match word.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(CommandError::NotANumber {
                argument,
                least,
                most,
                word: CommandError::shown(word),
            }),
        },
    }
}
