//! How full the kernel's bounded things are, one entry a capacity.

use super::Inspect;
use crate::base::fixed::Vec;
use crate::base::metric::Usage;
use crate::limits::LIMITS;

/// Things of the same capacity are taken together: the fullest, and all refusals.
pub fn by_name(inspect: &mut dyn Inspect) -> Vec<Usage, { LIMITS.len() }> {
    let mut usages: Vec<Usage, { LIMITS.len() }> = Vec::new();
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
    usages
}
