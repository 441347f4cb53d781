//! What sets of capabilities promise.

use super::super::*;
use std::format;

#[test]
fn a_set_holds_what_was_put_in_and_says_its_names() {
    let set = CapabilitySet::of(Capability::Net).with(Capability::Administer);
    assert!(set.contains(Capability::Net) && !set.contains(Capability::Gpu));
    assert_eq!(format!("{set}"), "NET|ADMIN");
    assert_eq!(format!("{}", CapabilitySet::NONE), "none");
    assert_eq!(CapabilitySet::from_bits(set.bits() | 1 << 15), set);
    assert!(CapabilitySet::ALL.contains_all(set) && !set.contains_all(CapabilitySet::ALL));
    assert_eq!(
        set.without(Capability::Net.into()),
        Capability::Administer.into()
    );
}

#[test]
fn every_capability_is_found_by_its_name() {
    for capability in Capability::ALL {
        assert_eq!(Capability::parse(capability.name()), Some(capability));
    }
    assert_eq!(Capability::parse("disk_r"), Some(Capability::DiskRead));
    assert_eq!(Capability::parse("ROOT"), None);
}
