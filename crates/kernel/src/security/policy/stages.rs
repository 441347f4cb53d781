//! The stages of a check, each for itself.

use super::context::Context;
use super::decision::Reason;
use super::label::{Label, Party};
use super::level::Level;
use super::object::{Class, Object};
use super::verb::Verb;
use crate::base::capability::Capability;

/// No read up, no write down, and nobody else at what is isolated.
pub fn check_levels(context: &Context, verb: Verb, label: &Label) -> Result<(), Reason> {
    if label.level == Level::Isolated {
        let is_of_it = context.is_trusted || context.owner.uid == label.owner.uid;
        return if is_of_it {
            Ok(())
        } else {
            Err(Reason::Isolated)
        };
    }
    if verb.observes() {
        return match context.level >= label.level {
            true => Ok(()),
            false => Err(Reason::ReadUp),
        };
    }
    match context.is_trusted || context.level <= label.level {
        true => Ok(()),
        false => Err(Reason::WriteDown),
    }
}

/// What the object's owner lets that context do, and what the context may hold.
pub fn check_discretionary(
    context: &Context,
    verb: Verb,
    object: &Object<'_>,
    label: &Label,
) -> Result<(), Reason> {
    let party = party(context, label);
    if !label.mode.allows(party, verb) {
        return Err(Reason::Mode(party));
    }
    match needed(verb, object) {
        Some(capability) if !context.capabilities.named().contains(capability) => {
            Err(Reason::Capability(capability))
        }
        _ => Ok(()),
    }
}

pub const fn party(context: &Context, label: &Label) -> Party {
    label.owner.party_of(context.owner)
}

/// The capability without which the context may not do it, if there is one.
pub fn needed(verb: Verb, object: &Object<'_>) -> Option<Capability> {
    let changes = !verb.observes();
    match object.class {
        _ if verb == Verb::Administer => Some(Capability::Administer),
        Class::Command if changes => Some(Capability::Administer),
        Class::Network => Some(Capability::Net),
        Class::Device => match (object.name, changes) {
            ("network", _) => Some(Capability::Net),
            ("disk", false) => Some(Capability::DiskRead),
            ("disk", true) => Some(Capability::DiskWrite),
            ("gpu", _) => Some(Capability::Gpu),
            ("input", _) => Some(Capability::Input),
            ("console", false) => Some(Capability::ConsoleRead),
            ("console", true) => Some(Capability::ConsoleWrite),
            _ => None,
        },
        Class::Volume if changes => Some(Capability::DiskWrite),
        Class::Volume => Some(Capability::DiskRead),
        Class::Log if verb.observes() => Some(Capability::Audit),
        Class::Command | Class::File | Class::Key | Class::Log => None,
    }
}

/// What a capability over devices lets do; all of it must be allowed.
pub const fn use_of(capability: Capability) -> (&'static [Verb], Object<'static>) {
    match capability {
        Capability::Net => (&[Verb::Read, Verb::Write], Object::device("network")),
        Capability::DiskRead => (&[Verb::Read], Object::device("disk")),
        Capability::DiskWrite => (&[Verb::Write], Object::device("disk")),
        Capability::Gpu => (&[Verb::Write], Object::device("gpu")),
        Capability::Input => (&[Verb::Read], Object::device("input")),
        Capability::ConsoleRead => (&[Verb::Read], Object::device("console")),
        Capability::ConsoleWrite => (&[Verb::Write], Object::device("console")),
        Capability::Audit => (&[Verb::Read], Object::new(Class::Log, "audit")),
        Capability::Administer => (&[Verb::Administer], Object::command("security")),
    }
}
