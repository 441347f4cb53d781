//! How full the kernel's bounded things are, one entry a capacity.

use super::Inspect;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::LIMITS;

/// Capacities that boot chose for this machine come on top of those of `limits.rs`.
pub const USAGES_MAX: usize = LIMITS.len() + 16;

/// Filled where it lies: it is a good part of what a stack has.
pub type Usages = Vec<Usage, USAGES_MAX>;

/// Things of the same capacity are taken together: the fullest, and all refusals.
pub fn collect(inspect: &mut dyn Inspect, usages: &mut Usages) {
    inspect.visit_usages(&mut |usage| {
        let mut known = usages.iter_mut();
        if let Some(known) = known.find(|known| known.name == usage.name) {
            *known = known.merge(usage);
            return;
        }
        let kept = usages.push(*usage);
        crate::invariant!(kept.is_ok(), "more usages than USAGES_MAX");
    });
}
