//! Why a command was not done, said so that the user can mend it.

use crate::base::fixed::Text;
use crate::base::verdict::Verdict;
use crate::limits::SCRIPT_DEPTH_MAX;
use crate::net::firewall::WordError;
use crate::security::audit::FilterError;
use crate::security::gate::Refusal;
use crate::security::policy;
use crate::shell::catalog::{self, Action, Argument, Command, Kind};
use crate::shell::parse::Shown;
use crate::storage::files::FileError;
use crate::storage::volumes::VolumeError;
use core::fmt;

/// Everything but what the parser of lines and the filters have to say.
pub enum CommandError {
    UnknownCommand {
        word: Shown,
        meant: Option<&'static str>,
    },
    UnknownAction {
        command: &'static Command,
        word: Shown,
        meant: Option<&'static str>,
    },
    /// The command does nothing without a subcommand.
    MissingAction {
        command: &'static Command,
    },
    MissingArgument {
        command: &'static Command,
        action: &'static Action,
        argument: &'static Argument,
    },
    TooManyArguments {
        command: &'static Command,
        action: &'static Action,
        word: Shown,
    },
    NotOneOf {
        argument: &'static Argument,
        word: Shown,
        meant: Option<&'static str>,
    },
    NotANumber {
        argument: &'static Argument,
        least: u64,
        most: u64,
        word: Shown,
    },
    /// The word is one in front of other commands, not one of its own.
    OnlyInFront {
        command: &'static Command,
    },
    NotADevice {
        word: Shown,
    },
    NotAnAddress {
        word: Shown,
    },
    NoDisplay,
    /// Of a volume or an offset in one.
    NotASize {
        word: Shown,
    },
    Volume(VolumeError),
    /// Not a code that a command has shown.
    NotACode {
        word: Shown,
    },
    NoDisk {
        word: Shown,
    },
    /// Neither a name nor an address that can be asked for; why not.
    NotAskable {
        word: Shown,
        reason: &'static str,
    },
    /// More than a sector holds.
    TextTooLong {
        bytes: usize,
        most: usize,
    },
    /// The command changes something, and who asks has not shown that he may.
    NeedsToken {
        command: &'static Command,
        action: &'static Action,
    },
    /// Who asks may not.
    Refused {
        command: &'static Command,
        action: &'static Action,
        refusal: Refusal,
    },
    /// The words of a firewall's rule or packet.
    Rule {
        error: WordError,
        meant: Option<&'static str>,
    },
    /// The words of a rule of the policy, or of a question to it.
    Policy(policy::WordError),
    NoSuchRule {
        number: usize,
        count: usize,
    },
    /// Not up to 64 bytes in hexadecimal digits.
    NotANonce {
        word: Shown,
    },
    /// A word of a filter of the audit trail.
    AuditFilter {
        word: Shown,
        error: FilterError,
    },
    NotALoad {
        word: Shown,
    },
    NoTarget {
        word: Shown,
    },
    NotALimit {
        word: Shown,
        unit: &'static str,
    },
    /// No DHCP client has that interface.
    NoDhcpClient {
        word: Shown,
    },
    NoDhcpClients,
    /// A word of `cap`, and what it would have to be.
    NotOfRights {
        word: Shown,
        reason: &'static str,
    },
    /// What stands for a file, and why it is none.
    NotAPath {
        word: Shown,
        error: FileError,
    },
    DebugIsOff,
    /// Whoever asks gets one answer, and a script has many.
    ScriptNeedsAConsole,
    ScriptTooDeep,
    WatchNeedsAPerson,
    WatchOfAnAct,
}

impl CommandError {
    /// What a program is told that asked.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::UnknownCommand { .. } | Self::UnknownAction { .. } => Verdict::Unknown,
            Self::NeedsToken { .. } => Verdict::NotALook,
            Self::Refused { .. } => Verdict::Forbidden,
            Self::MissingAction { .. }
            | Self::MissingArgument { .. }
            | Self::TooManyArguments { .. }
            | Self::NotOneOf { .. }
            | Self::NotANumber { .. }
            | Self::OnlyInFront { .. }
            | Self::NotAnAddress { .. }
            | Self::NotAskable { .. }
            | Self::NotANonce { .. }
            | Self::Rule { .. }
            | Self::NotOfRights { .. }
            | Self::Policy(_)
            | Self::AuditFilter { .. }
            | Self::NotAPath { .. }
            | Self::ScriptNeedsAConsole
            | Self::WatchNeedsAPerson
            | Self::WatchOfAnAct => Verdict::Malformed,
            _ => Verdict::Failed,
        }
    }

    pub fn shown(typed: &str) -> Shown {
        Text::cut_from(typed)
    }
}

impl From<VolumeError> for CommandError {
    fn from(error: VolumeError) -> Self {
        Self::Volume(error)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand { word, meant } => {
                write!(f, "unknown command \"{word}\"; ")?;
                fmt_meant(*meant, "help lists all commands", f)
            }
            Self::UnknownAction { command, word, meant } => {
                write!(f, "unknown subcommand \"{word}\" of {}; ", command.name)?;
                match meant {
                    Some(meant) => fmt_meant(Some(meant), "", f),
                    None => fmt_actions(command, f),
                }
            }
            Self::MissingAction { command } => {
                write!(f, "{} needs a subcommand; ", command.name)?;
                fmt_actions(command, f)
            }
            Self::MissingArgument { command, action, argument } => write!(
                f,
                "{} is missing; write {}",
                argument.name,
                catalog::Usage { command, action }
            ),
            Self::TooManyArguments { command, action, word } => write!(
                f,
                "\"{word}\" is too much; write {}",
                catalog::Usage { command, action }
            ),
            Self::NotOneOf { argument, word, meant } => {
                write!(f, "\"{word}\" is no {}; ", argument.name)?;
                match (meant, argument.kind) {
                    (None, Kind::Keyword(words)) => {
                        f.write_str("it is one of ")?;
                        fmt_list(words.iter().copied(), f)
                    }
                    _ => fmt_meant(*meant, "help lists all commands", f),
                }
            }
            Self::NotANumber { argument, least, most, word } => write!(
                f,
                "{} is a whole number from {least} to {most}, not \"{word}\"",
                argument.name
            ),
            Self::OnlyInFront { command } => {
                write!(f, "{} stands in front of another command", command.name)
            }
            Self::NotAnAddress { word } => write!(
                f,
                "\"{word}\" is no address, such as 10.0.2.2 or fe80::2"
            ),
            Self::NoDisplay => {
                f.write_str("there is no virtual display that shows anything; see device list")
            }
            Self::NotASize { word } => {
                write!(f, "\"{word}\" is no number of bytes, such as 4096, 64M or 1G")
            }
            Self::Volume(error) => error.fmt(f),
            Self::NotACode { word } => write!(
                f,
                "\"{word}\" is no code; it has 8 hexadecimal digits and is shown without one"
            ),
            Self::NoDisk { word } => write!(f, "there is no disk \"{word}\"; see disk list"),
            Self::NotAskable { word, reason } => write!(f, "\"{word}\": {reason}"),
            Self::TextTooLong { bytes, most } => {
                write!(f, "the text has {bytes} bytes; at most {most} fit")
            }
            Self::NotADevice { word } => write!(
                f,
                "\"{word}\" is no address of a device, such as 00:1f.2; device list shows them"
            ),
            Self::NeedsToken { command, action } => write!(
                f,
                "{} changes something; ask by POST and show the token that the kernel was booted with",
                catalog::Usage { command, action }
            ),
            Self::Refused {
                command,
                action,
                refusal,
            } => write!(f, "{} {refusal}", catalog::Usage { command, action }),
            Self::Rule { error, meant } => match (error.unknown_word(), meant) {
                (Some(word), Some(meant)) => {
                    write!(f, "\"{word}\" says nothing here; did you mean \"{meant}\"?")
                }
                _ => write!(f, "{error}"),
            },
            Self::Policy(error) => write!(f, "{error}"),
            Self::NoSuchRule { number, count: 0 } => {
                write!(f, "there is no rule {number}, for there are none; firewall add adds one")
            }
            Self::NoSuchRule { number, count } => {
                write!(f, "there is no rule {number}; they have the numbers 1 to {count}")
            }
            Self::NotANonce { word } => write!(
                f,
                "NONCE is 1 to 64 bytes in hexadecimal digits, as 0123456789abcdef; \"{word}\" is not"
            ),
            Self::AuditFilter { word, error } => write!(f, "\"{word}\" is no clause; {error}"),
            Self::NotALoad { word } => {
                write!(f, "\"{word}\" is no amount a second; write a number above 0, as 5MB or 200")
            }
            Self::NoTarget { word } => write!(
                f,
                "\"{word}\" is no target for datagrams; write an address with a port, as 10.0.2.2:9"
            ),
            Self::NotALimit { word, unit } => {
                write!(f, "\"{word}\" is no limit; write a number of {unit}, or none")
            }
            Self::NoDhcpClient { word } => {
                write!(f, "no DHCP client runs on \"{word}\"; dhcp status lists them")
            }
            Self::NoDhcpClients => f.write_str(
                "no DHCP client runs; it needs a network port, and ip=dhcp on the command line",
            ),
            Self::NotOfRights { word, reason } => write!(f, "\"{word}\" {reason}"),
            Self::NotAPath { word, error } => write!(f, "\"{word}\": {error}"),
            Self::ScriptNeedsAConsole => {
                f.write_str("a script answers many times; run it at a console")
            }
            Self::ScriptTooDeep => write!(
                f,
                "scripts run others {SCRIPT_DEPTH_MAX} deep at most; does one of them run itself?"
            ),
            Self::DebugIsOff => f.write_str(
                "debug breaks the kernel on purpose and is off; boot with debug=1 on the command line",
            ),
            Self::WatchNeedsAPerson => {
                f.write_str("watch runs until a key is pressed; it needs an interactive console")
            }
            Self::WatchOfAnAct => {
                f.write_str("watch repeats commands that show something; this one acts")
            }
        }
    }
}

fn fmt_meant(meant: Option<&str>, otherwise: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match meant {
        Some(meant) => write!(f, "did you mean \"{meant}\"?"),
        None => f.write_str(otherwise),
    }
}

fn fmt_actions(command: &Command, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !command.has_actions() {
        return write!(f, "it has none");
    }
    f.write_str("it is one of ")?;
    fmt_list(command.actions.iter().map(|action| action.name), f)
}

fn fmt_list<'a>(names: impl Iterator<Item = &'a str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, name) in names.enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{name}")?;
    }
    Ok(())
}
