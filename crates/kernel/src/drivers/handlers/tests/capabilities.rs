//! What the device handlers promise about capabilities.

use super::*;
use crate::base::capability::{Capability, CapabilitySet, Constraints, Order, PortRange, Refusal};
use core::num::{NonZeroU32, NonZeroU64};

const READ: Operation = Operation::BlockRead {
    sector: 0,
    sectors: 8,
};

fn grant(handlers: &mut DeviceHandlers, now: Instant, order: Order) -> u64 {
    let granted = handlers.grants_mut().grant(now, Subject::KERNEL, &order);
    granted.unwrap()
}

fn order(capability: Capability, constraints: Constraints) -> Order {
    Order {
        to: Subject::Tenant(FIRST),
        capabilities: capability.into(),
        time_to_live: Duration::from_secs(60),
        constraints,
    }
}

fn forbidden(error: Option<AdmitError>) -> Option<Refusal> {
    match error? {
        AdmitError::Capability(error) => Some(error.refusal),
        AdmitError::Quota(error) => panic!("{error}"),
    }
}

#[test]
fn a_tenant_does_nothing_until_it_is_granted_and_nothing_after_it_ends() {
    let operations = [
        (Operation::GpuAllocate { bytes: 1 }, Capability::Gpu),
        (Operation::GpuRender, Capability::Gpu),
        (Operation::NetworkReceive { bytes: 60 }, Capability::Net),
        (Operation::NetworkSend { bytes: 60 }, Capability::Net),
        (READ, Capability::DiskRead),
        (
            Operation::BlockWrite {
                sector: 0,
                sectors: 1,
            },
            Capability::DiskWrite,
        ),
        (Operation::BlockFlush, Capability::DiskWrite),
        (Operation::Input(InputKind::Touch), Capability::Input),
        (
            Operation::ConsoleWrite { bytes: 9 },
            Capability::ConsoleWrite,
        ),
    ];
    for (operation, capability) in operations {
        let mut handlers = DeviceHandlers::new();
        let admit = |handlers: &mut DeviceHandlers, millis| {
            forbidden(handlers.admit(at_ms(millis), FIRST, operation).err())
        };
        assert_eq!(admit(&mut handlers, 0), Some(Refusal::NotHeld));
        let others = CapabilitySet::ALL.without(capability.into());
        let all_but = Order {
            capabilities: others,
            ..order(capability, Constraints::NONE)
        };
        grant(&mut handlers, at_ms(0), all_but);
        assert_eq!(admit(&mut handlers, 1), Some(Refusal::NotHeld));
        let number = grant(
            &mut handlers,
            at_ms(1),
            order(capability, Constraints::NONE),
        );
        assert_eq!(admit(&mut handlers, 2), None);
        let grants = handlers.grants_mut();
        assert_eq!(grants.revoke(at_ms(3), Subject::KERNEL, number), Ok(()));
        assert_eq!(admit(&mut handlers, 3), Some(Refusal::NotHeld));
        grant(
            &mut handlers,
            at_ms(1_000),
            order(capability, Constraints::NONE),
        );
        assert_eq!(admit(&mut handlers, 60_999), None);
        // Nobody has told it the time but who asks.
        assert_eq!(admit(&mut handlers, 61_000), Some(Refusal::NotHeld));
        let counts = handlers.counts(FIRST, operation.device());
        assert_eq!((counts.allowed, counts.denied), (2, 4));
        assert_eq!(
            handlers.admit(at_ms(0), Tenant::KERNEL, operation),
            Ok(None)
        );
    }
}

#[test]
fn a_refusal_says_what_to_do_and_stands_in_the_audit() {
    let mut handlers = DeviceHandlers::new();
    let error = handlers.admit(at_ms(5), FIRST, READ).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tenant 1 does not hold DISK_R; cap grant tenant-1 DISK_R 1h gives it"
    );
    for millis in 6..2_500 {
        assert!(handlers.admit(at_ms(millis), FIRST, READ).is_err());
    }
    let times = handlers.audit().map(|record| match record.event {
        AuditEvent::Forbidden {
            capability: Capability::DiskRead,
            refusal: Refusal::NotHeld,
            times,
        } => times,
        _ => panic!("{record:?}"),
    });
    assert_eq!(times.collect::<std::vec::Vec<_>>(), [1_000, 1_000, 495]);
}

#[test]
fn a_constraint_on_a_number_counts_what_has_not_been_released() {
    let mut handlers = DeviceHandlers::new();
    let two = Constraints {
        concurrency: NonZeroU32::new(2),
        ..Constraints::NONE
    };
    grant(&mut handlers, at_ms(0), order(Capability::DiskRead, two));
    let first = handlers.admit(at_ms(1), FIRST, READ).unwrap();
    let second = handlers.admit(at_ms(1), FIRST, READ).unwrap();
    assert!(first.is_some() && second.is_some());
    let third = handlers.admit(at_ms(1), FIRST, READ).err();
    assert_eq!(forbidden(third), Some(Refusal::Concurrency));
    handlers.release(FIRST, READ, first);
    let third = handlers.admit(at_ms(1), FIRST, READ).unwrap();
    for ticket in [second, third] {
        handlers.release(FIRST, READ, ticket);
    }
    // What is over at once never waits for a release.
    let net = order(Capability::Net, two);
    grant(&mut handlers, at_ms(1), net);
    for _ in 0..9 {
        let sent = handlers.admit(at_ms(1), FIRST, Operation::NetworkSend { bytes: 60 });
        assert_eq!(sent, Ok(None));
    }
}

#[test]
fn what_a_quota_refuses_takes_nothing_of_a_constraint() {
    let mut handlers = DeviceHandlers::new();
    let tight = Constraints {
        bandwidth_bytes_per_s: NonZeroU64::new(1),
        concurrency: NonZeroU32::new(1),
        ..Constraints::NONE
    };
    grant(&mut handlers, at_ms(0), order(Capability::DiskRead, tight));
    handlers.set_quota(at_ms(0), FIRST, Resource::BlockSpace, Some(0));
    for _ in 0..100 {
        over_quota(&mut handlers, at_ms(1), FIRST, READ);
    }
    handlers.set_quota(at_ms(0), FIRST, Resource::BlockSpace, None);
    // All of the burst is there still: 128 KiB.
    let mut done = 0;
    while let Ok(ticket) = handlers.admit(at_ms(1), FIRST, READ) {
        handlers.release(FIRST, READ, ticket);
        done += 1;
    }
    assert_eq!(done, 32);
}

#[test]
fn a_frame_is_looked_into_only_where_a_range_of_ports_asks() {
    let mut handlers = DeviceHandlers::new();
    let send = Operation::NetworkSend { bytes: 60 };
    let web = Constraints {
        ports: PortRange::new(80, 443),
        ..Constraints::NONE
    };
    let number = grant(&mut handlers, at_ms(0), order(Capability::Net, web));
    let to = |handlers: &mut DeviceHandlers, port| {
        forbidden(handlers.admit_frame(at_ms(1), FIRST, send, || port).err())
    };
    assert_eq!(to(&mut handlers, Some(80)), None);
    assert_eq!(to(&mut handlers, None), None);
    for port in [0, 79, 444, u16::MAX] {
        assert_eq!(to(&mut handlers, Some(port)), Some(Refusal::Port));
    }
    grant(
        &mut handlers,
        at_ms(1),
        order(Capability::Net, Constraints::NONE),
    );
    let sent = handlers.admit_frame(at_ms(1), FIRST, send, || panic!("nobody asked"));
    assert_eq!(sent, Ok(None));
    let grants = handlers.grants_mut();
    assert_eq!(grants.revoke(at_ms(1), Subject::KERNEL, number), Ok(()));
    let sent = handlers.admit_frame(at_ms(1), FIRST, send, || panic!("nobody asked"));
    assert_eq!(sent, Ok(None));
}
