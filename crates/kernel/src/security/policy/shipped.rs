//! The policy that a machine boots with.
//!
//! Those who run the machine may do everything, strangers may look, and tenants may use
//! devices, if they were granted the capability. Everything else is denied.

use super::context::{CapabilityBits, Context, ContextId, Owner};
use super::label::{Label, Mode};
use super::level::Level;
use super::object::{Class, Name, ObjectName};
use crate::base::capability::{Capability, CapabilitySet};
use crate::base::subject::Subject;
use crate::limits::TENANTS_MAX;

/// In the order of their places; that of tenant n follows n - 1 places behind the last.
pub const CONTEXT_NAMES: [&str; 5] = ["kernel", "operator", "api", "visitor", "load"];
const KERNEL: ContextId = ContextId::at(0);
const OPERATOR: ContextId = ContextId::at(1);
const API: ContextId = ContextId::at(2);
const VISITOR: ContextId = ContextId::at(3);
pub const LOAD: ContextId = ContextId::at(4);
const TENANT_1: usize = CONTEXT_NAMES.len();
/// How many there are; none of them can be removed.
pub const CONTEXTS: usize = CONTEXT_NAMES.len() + TENANTS_MAX - 1;

/// What the measuring loads are, as something that is executed.
pub const LOAD_PROGRAM: &str = "load";

/// The devices that tenants share; the first eight but the audit trail.
const DEVICES: CapabilitySet =
    CapabilitySet::ALL.without(CapabilitySet::of(Capability::Audit).with(Capability::Administer));

pub const RULES: [&str; 7] = [
    "allow kernel * *",
    "allow operator * *",
    "allow api * *",
    "allow visitor look command:*",
    "allow tenant-* read,write,connect device:*",
    "allow load read,write,connect device:*",
    "allow tenant-* execute file:load",
];

/// Where a subject is while it has not entered another context.
pub const fn home(subject: Subject) -> ContextId {
    match subject {
        Subject::Tenant(tenant) => match tenant.index() {
            0 => KERNEL,
            number => ContextId::at(TENANT_1 + number - 1),
        },
        Subject::Console(_) => OPERATOR,
        Subject::Api => API,
        Subject::Visitor => VISITOR,
    }
}

/// In the order of their places.
pub fn contexts() -> impl Iterator<Item = Context> {
    let of = |name, level, id, capabilities, is_trusted| Context {
        name: Name::cut_from(name),
        level,
        // Those who run the machine are in the kernel's group.
        owner: Owner {
            uid: id,
            gid: if is_trusted { 0 } else { id },
        },
        capabilities: CapabilityBits::of(capabilities),
        is_trusted,
    };
    let [kernel, operator, api, visitor, load] = CONTEXT_NAMES;
    let all = CapabilitySet::ALL;
    let fixed = [
        of(kernel, Level::Isolated, 0, all, true),
        of(operator, Level::Isolated, 1, all, true),
        of(api, Level::Isolated, 2, all, true),
        of(visitor, Level::Internal, 65_534, CapabilitySet::NONE, false),
        of(load, Level::Private, 900, DEVICES, false),
    ];
    let tenants = (1..TENANTS_MAX as u32).map(move |number| {
        let tenant = of("", Level::Private, 1_000 + number, DEVICES, false);
        let name = Name::format(format_args!("tenant-{number}"));
        Context { name, ..tenant }
    });
    fixed.into_iter().chain(tenants)
}

/// The loads' program, which everybody may execute whom a rule lets.
pub fn labels() -> impl Iterator<Item = (ObjectName, Label)> {
    let label = Label {
        level: Level::Internal,
        owner: Owner::KERNEL,
        mode: Mode::from_bits(0o755),
    };
    load_program()
        .into_iter()
        .map(move |object| (object, label))
}

/// From where and by what; all of them lead to `LOAD`.
///
/// The kernel's own loads stay in its context, for the kernel does more than its load.
pub fn transitions() -> impl Iterator<Item = (ContextId, ObjectName)> {
    let from = (TENANT_1..CONTEXTS).map(ContextId::at);
    from.filter_map(|from| Some((from, load_program()?)))
}

fn load_program() -> Option<ObjectName> {
    ObjectName::new(Class::File, LOAD_PROGRAM)
}
