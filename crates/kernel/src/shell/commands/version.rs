//! `version`: what this kernel is and how it was built.

use super::{Inspect, Invocation, Outcome, Report};

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn run(_: &Invocation<'_>, _: &mut dyn Inspect, report: &mut Report) -> Outcome {
    report
        .fields("version")
        .text("version", VERSION)
        .value("commit", known(env!("RAYOS_BUILD_COMMIT")))
        .value("rustc", known(env!("RAYOS_BUILD_RUSTC")))
        .value("profile", known(env!("RAYOS_BUILD_PROFILE")))
        .value("target", known(env!("RAYOS_BUILD_TARGET")));
    Ok(None)
}

/// The build leaves empty what it could not find out.
fn known(fact: &'static str) -> Option<&'static str> {
    (!fact.is_empty()).then_some(fact)
}
