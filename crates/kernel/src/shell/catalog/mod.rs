//! What a command is: a row for the shell, its help, completion and the book.

mod access;
mod audit;
mod cap;
mod device;
mod disk;
mod files;
mod firewall;
mod io;
mod net;
mod operation;
mod optimize;
mod security;
mod storage;
mod table;
mod tpm;

pub use access::{Access, LOOK};
pub use operation::Operation;
pub use table::COMMANDS;

use crate::base::capability;
use crate::base::machine::{DebugAction, PowerAction, SelfTest};
use crate::base::report::Report;
use crate::base::service::ServiceSet;
use crate::base::tenant::Tenant;
use crate::drivers::handlers::Resource;
use crate::drivers::pci::address::Address;
use crate::net::dhcp;
use crate::net::firewall::Change;
use crate::security::audit as audit_trail;
use crate::security::policy;
use crate::shell::command_error::CommandError;
use crate::shell::inspect::Inspect;
use crate::shell::invocation::Invocation;
use crate::storage::io::queues;
use crate::storage::layout::LogArea;
use crate::storage::pool;
use crate::workloads::load::LoadChange;
use core::fmt;

/// What a command asks for besides its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Intent {
    /// Done once the answer has gone out, for nothing can be said behind it.
    Power(PowerAction),
    Debug(DebugAction),
    /// The session's own affair.
    ClearScreen,
    /// Tried before it is answered, for it can be refused.
    SelfTest(SelfTest),
    /// The same.
    ResetDevice(Address),
    /// Started before it is answered; the answer is what comes of it.
    Operation(Operation),
    /// These are tried first, too, so that they are in force when they are answered.
    Firewall(Change),
    Load(LoadChange),
    Policy(policy::Change),
    AddTenantInterface(Tenant),
    SetQuota {
        tenant: Tenant,
        resource: Resource,
        limit: Option<u64>,
    },
    /// Of all clients where no interface is named. Tried first as well.
    Dhcp {
        command: dhcp::Command,
        interface: Option<usize>,
    },
    /// A right is given, handed on or ended. Tried first.
    Capability(capability::Change),
    /// These services for measuring and no others. Tried first.
    Serve(ServiceSet),
    /// Tried first.
    Audit(audit_trail::Change),
    /// A damaged log gives up what it has lost. Tried first.
    AcceptLoss(LogArea),
    /// Tried first.
    Io(queues::Change),
    /// The same.
    Pool(pool::Change),
}

impl Intent {
    /// Is its answer a text whose lines are to be run?
    pub const fn is_script(&self) -> bool {
        match self {
            Self::Operation(operation) => operation.is_script(),
            _ => false,
        }
    }

    /// Is it tried before it is answered?
    pub const fn can_be_refused(&self) -> bool {
        matches!(
            self,
            Self::SelfTest(_)
                | Self::Dhcp { .. }
                | Self::ResetDevice(_)
                | Self::Operation(_)
                | Self::Firewall(_)
                | Self::Load(_)
                | Self::Policy(_)
                | Self::SetQuota { .. }
                | Self::Serve(_)
                | Self::Capability(_)
                | Self::Audit(_)
                | Self::AcceptLoss(_)
                | Self::Pool(_)
                | Self::Io(_)
                | Self::AddTenantInterface(_)
        )
    }
}

pub type Handler =
    fn(&Invocation<'_>, &mut dyn Inspect, &mut Report) -> Result<Option<Intent>, CommandError>;

/// What an argument may be: for checking and for completion.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Keyword(&'static [&'static str]),
    Number {
        least: u64,
        most: u64,
    },
    /// The name of a command.
    Command,
    /// Words of a small language, which the handler reads itself.
    Phrase(Expect),
    Text,
}

/// Offers the words that may stand behind those of a phrase.
pub type Expect = fn(&[&str], &mut dyn FnMut(&'static str));

#[derive(Debug)]
pub struct Argument {
    /// In capitals, as help shows it.
    pub name: &'static str,
    pub kind: Kind,
    pub is_required: bool,
    /// May it be given more than once? Only the last one of an action.
    pub is_repeated: bool,
}

#[derive(Debug)]
pub struct Action {
    /// The subcommand, of one word or more; empty for the one thing that a command without
    /// subcommands does.
    pub name: &'static str,
    pub summary: &'static str,
    pub arguments: &'static [Argument],
    pub access: Access,
    pub run: Handler,
}

#[derive(Debug)]
pub struct Command {
    pub name: &'static str,
    pub summary: &'static str,
    /// More to know, in whole sentences.
    pub details: &'static str,
    pub actions: &'static [Action],
    /// Does the first action run when no subcommand is named?
    pub has_default: bool,
}

impl Command {
    /// Does it have subcommands?
    pub fn has_actions(&self) -> bool {
        !self.actions[0].name.is_empty()
    }

    /// The action that these words begin with, and those behind it; of two the longer.
    pub fn action_of<'w, 't>(
        &'static self,
        words: &'w [&'t str],
    ) -> Option<(&'static Action, &'w [&'t str])> {
        let fits = |action: &&Action| action.is_named_by(words);
        let fitting = self.actions.iter().filter(fits);
        let action = fitting.max_by_key(|action| action.name.len())?;
        Some((action, &words[action.words().count()..]))
    }
}

impl Action {
    fn words(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.name.split(' ')
    }

    /// Do the words begin with all of its name?
    fn is_named_by(&self, words: &[&str]) -> bool {
        let own = self.words();
        own.clone().count() <= words.len()
            && own.eq(words.iter().copied().take(self.words().count()))
    }

    /// The word of its name behind these ones, if they are how it begins.
    pub fn next_word(&self, words: &[&str]) -> Option<&'static str> {
        let mut own = self.words();
        words
            .iter()
            .all(|word| own.next() == Some(*word))
            .then(|| own.next())?
    }
}

pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// How an action is written: `log [LEVEL...]`.
pub struct Usage<'a> {
    pub command: &'a Command,
    pub action: &'a Action,
}

impl fmt::Display for Usage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.command.name)?;
        if self.command.has_actions() {
            write!(f, " {}", self.action.name)?;
        }
        for argument in self.action.arguments {
            let dots = if argument.is_repeated { "..." } else { "" };
            match argument.is_required {
                true => write!(f, " {}{dots}", argument.name)?,
                false => write!(f, " [{}{dots}]", argument.name)?,
            }
        }
        Ok(())
    }
}
