//! Each requirement is met, violated and unknown by the facts that say so.

use super::*;
use std::vec::Vec;

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

/// Everything is as it should be.
fn good(now: Instant) -> ComplianceFacts {
    ComplianceFacts {
        denials: Some(Denials {
            counted: 7,
            recorded: 7,
        }),
        boot: Some(BootFacts {
            has_tpm: true,
            is_lost: false,
            is_doubted: false,
            phases_unmeasured: 0,
        }),
        verification: Some(VerificationFacts {
            at: now,
            has_finding: false,
        }),
        anchors: Some(AnchorFacts {
            is_anchored: true,
            entries_behind: 4000,
            at: now,
        }),
        policy: Some(PolicyFacts {
            in_force: [1; 32],
            measured: Some([1; 32]),
        }),
        tenants_with_admin: Some(0),
        defaults: Some(DefaultFacts {
            tried: 5,
            allowed: 0,
        }),
        secrets: Some(SecretFacts {
            shortest_bytes: None,
            is_open_without: false,
        }),
    }
}

type Spoil = fn(&mut ComplianceFacts);

/// What violates which requirement.
const BAD: [(Requirement, Spoil); 15] = [
    (Requirement::DenialsRecorded, |facts| {
        facts.denials.as_mut().unwrap().recorded = 6;
    }),
    (Requirement::BootAttested, |facts| {
        facts.boot.as_mut().unwrap().has_tpm = false;
    }),
    (Requirement::BootAttested, |facts| {
        facts.boot.as_mut().unwrap().phases_unmeasured = 1;
    }),
    (Requirement::BootAttested, |facts| {
        facts.boot.as_mut().unwrap().is_doubted = true;
    }),
    (Requirement::TrailVerified, |facts| {
        facts.verification.as_mut().unwrap().has_finding = true;
    }),
    (Requirement::TrailVerified, |facts| {
        facts.verification.as_mut().unwrap().at = at(10_000 - 901);
    }),
    (Requirement::TrailAnchored, |facts| {
        facts.anchors.as_mut().unwrap().entries_behind = 5000;
    }),
    (Requirement::TrailAnchored, |facts| {
        facts.anchors.as_mut().unwrap().at = at(10_000 - 3800);
    }),
    (Requirement::PolicyMeasured, |facts| {
        facts.policy.as_mut().unwrap().in_force = [2; 32];
    }),
    (Requirement::PolicyMeasured, |facts| {
        facts.policy.as_mut().unwrap().measured = None;
    }),
    (Requirement::TenantsUnprivileged, |facts| {
        facts.tenants_with_admin = Some(1);
    }),
    (Requirement::TenantsDeniedByDefault, |facts| {
        facts.defaults.as_mut().unwrap().allowed = 1;
    }),
    (Requirement::SecretsStrong, |facts| {
        facts.secrets.as_mut().unwrap().shortest_bytes = Some(15);
    }),
    (Requirement::SecretsStrong, |facts| {
        facts.secrets.as_mut().unwrap().is_open_without = true;
    }),
    (Requirement::TrailAnchored, |facts| {
        let anchors = facts.anchors.as_mut().unwrap();
        (anchors.is_anchored, anchors.at) = (false, at(0));
    }),
];

#[test]
fn every_requirement_is_met_by_good_facts_and_violated_by_bad_ones_alone() {
    let now = at(10_000);
    for requirement in Requirement::ALL {
        assert_eq!(requirement.judge(now, &good(now)), Standing::Met);
        assert!(BAD.iter().any(|(bad, _)| *bad == requirement));
    }
    for (bad, spoil) in BAD {
        let mut facts = good(now);
        spoil(&mut facts);
        for requirement in Requirement::ALL {
            let standing = requirement.judge(now, &facts);
            let is_violated = matches!(standing, Standing::Violated(_));
            assert_eq!(is_violated, requirement == bad, "{requirement:?}");
        }
    }
}

#[test]
fn what_nobody_knows_is_never_called_met() {
    let facts = ComplianceFacts::default();
    for requirement in Requirement::ALL {
        assert_eq!(requirement.judge(at(10_000), &facts), Standing::Unknown);
    }
    let mut facts = good(at(10));
    facts.defaults.as_mut().unwrap().tried = 0;
    facts.anchors = Some(AnchorFacts {
        is_anchored: false,
        entries_behind: 3,
        at: at(0),
    });
    for requirement in [
        Requirement::TenantsDeniedByDefault,
        Requirement::TrailAnchored,
    ] {
        assert_eq!(requirement.judge(at(10), &facts), Standing::Unknown);
    }
}

#[test]
fn a_violation_has_one_beginning_and_one_end_and_an_entry_for_each() {
    let (mut compliance, mut trail) = (Compliance::new(), AuditTrail::default());
    let step = |compliance: &mut Compliance, trail: &mut AuditTrail, second, admins| {
        let mut facts = good(at(second));
        facts.tenants_with_admin = admins;
        compliance.step(at(second), &facts, trail);
    };
    step(&mut compliance, &mut trail, 1, Some(0));
    for second in 2..6 {
        step(&mut compliance, &mut trail, second, Some(1));
    }
    step(&mut compliance, &mut trail, 6, Some(0));
    step(&mut compliance, &mut trail, 7, Some(2));
    step(&mut compliance, &mut trail, 8, None);
    let spans: Vec<_> = compliance
        .violations()
        .map(|violation| (violation.began, violation.ended))
        .collect();
    assert_eq!(spans, [(at(2), Some(at(6))), (at(7), Some(at(8)))]);
    let row = compliance.rows()[Requirement::TenantsUnprivileged as usize];
    assert_eq!((row.standing, row.since), (Standing::Unknown, Some(at(8))));
    assert_eq!((row.violations, row.last_violation), (2, Some(at(7))));
    let entries = trail.chain().iter().map(|sealed| sealed.entry);
    let outcomes: Vec<_> = entries.map(|entry| (entry.verb, entry.outcome)).collect();
    let (began, ended) = (
        (Verb::Comply, Outcome::Failed),
        (Verb::Comply, Outcome::Done),
    );
    assert_eq!(outcomes, [began, ended, began, ended]);
}

#[test]
fn it_asks_once_a_second_and_remembers_the_newest_violations() {
    let (mut compliance, mut trail) = (Compliance::new(), AuditTrail::default());
    let mut facts = good(at(5));
    compliance.step(at(5), &facts, &mut trail);
    facts.tenants_with_admin = Some(1);
    let soon = at(5) + Duration::from_millis(999);
    assert!(!compliance.is_due(soon));
    compliance.step(soon, &facts, &mut trail);
    assert_eq!(compliance.violations().len(), 0);
    for second in 6..306 {
        let mut facts = good(at(second));
        facts.tenants_with_admin = Some(u32::from(second % 2 == 0));
        compliance.step(at(second), &facts, &mut trail);
    }
    assert_eq!(compliance.violations().len(), COMPLIANCE_VIOLATIONS_MAX);
    let newest = compliance.violations().last();
    assert_eq!(newest.map(|violation| violation.began), Some(at(304)));
    let row = compliance.rows()[Requirement::TenantsUnprivileged as usize];
    assert_eq!(row.violations, 150);
    assert_eq!(compliance.next_deadline(), Some(at(315)));
}
