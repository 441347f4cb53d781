//! `storage`: what the disks hold.

use super::disk::disk_of;
use super::{Inspect, Invocation, Outcome, Report};
use crate::base::disk::SECTOR_BYTES;
use crate::base::report::Value;
use crate::shell::catalog::{Intent, Operation};
use crate::shell::command_error::CommandError;
use crate::storage::layout::{Content, DiskState, Wish};

pub fn status(_: &Invocation<'_>, inspect: &mut dyn Inspect, report: &mut Report) -> Outcome {
    let columns = &["disk", "size_bytes", "state", "note"];
    let mut disks: [Option<(&'static str, u64)>; crate::limits::DISKS_MAX] = Default::default();
    inspect.visit_disks(&mut |index, facts, _| {
        disks[index] = Some((facts.name, facts.sectors));
    });
    let mut table = report.table("disks", columns);
    for (index, disk) in disks.iter().enumerate() {
        let Some((name, sectors)) = disk else {
            continue;
        };
        let state = inspect.storage().layouts.state(index);
        let bytes = sectors.saturating_mul(SECTOR_BYTES as u64);
        let row = |note: Value<'_>| {
            table.row(&[(*name).into(), bytes.into(), state.name().into(), note]);
        };
        note(&state, row);
    }
    super::storage_pool::view(inspect.storage(), report);
    Ok(None)
}

/// What there is to say of it besides its name.
fn note(state: &DiskState, row: impl FnOnce(Value<'_>)) {
    match state {
        DiskState::Known(Content::Foreign { what }) => row((*what).into()),
        DiskState::Known(Content::Damaged(error)) => row(Value::Format(format_args!("{error}"))),
        DiskState::Known(Content::Unreadable(error)) => row(Value::Format(format_args!("{error}"))),
        DiskState::Known(Content::Ours {
            damage: Some(error),
            ..
        }) => row(Value::Format(format_args!(
            "one copy of its table: {error}"
        ))),
        _ => row("".into()),
    }
}

pub fn format(call: &Invocation<'_>, inspect: &mut dyn Inspect, _: &mut Report) -> Outcome {
    let disk = disk_of(call, inspect)?;
    let code = match call.text(1) {
        None => None,
        Some(word) => Some(code(word)?),
    };
    let wish = Wish::Format { disk, code };
    Ok(Some(Intent::Operation(Operation::Layout(wish))))
}

fn code(word: &str) -> Result<u32, CommandError> {
    let is_code = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(word, 16).ok().filter(|_| is_code);
    code.ok_or_else(|| CommandError::NotACode {
        word: CommandError::shown(word),
    })
}
