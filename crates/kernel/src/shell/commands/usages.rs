//! How full the kernel's bounded things are, one entry a capacity.

use super::Inspect;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::LIMITS;

/// Filled where it lies: it is a good part of what a stack has.
pub type Usages = Vec<Usage, { LIMITS.len() }>;

/// Things of the same capacity are taken together: the fullest, and all refusals.
pub fn collect(inspect: &mut dyn Inspect, usages: &mut Usages) {
    inspect.visit_usages(&mut |usage| {
        let mut known = usages.iter_mut();
        if let Some(known) = known.find(|known| known.name == usage.name) {
            *known = known.merge(usage);
            return;
        }
        crate::invariant!(
            LIMITS.iter().any(|limit| limit.name == usage.name),
            "{} is in use and not in limits.rs",
            usage.name
        );
        let kept = usages.push(*usage);
        crate::invariant!(kept.is_ok(), "more usages than limits");
    });
}
