//! What the device handlers promise.

mod capabilities;

use super::*;
use crate::base::capability::CapabilitySet;
use crate::base::prng::Prng;
use crate::base::time::Duration;
use std::string::ToString;

const FIRST: Tenant = Tenant::new(1).unwrap();
const SECOND: Tenant = Tenant::new(2).unwrap();

/// Handlers whose tenants hold everything, for only quotas are looked at.
fn handlers() -> DeviceHandlers {
    let mut handlers = DeviceHandlers::new();
    for tenant in Tenant::all() {
        let subject = Subject::Tenant(tenant);
        let grants = handlers.grants_mut();
        let set = grants.set_standing(at_ms(0), Subject::KERNEL, subject, CapabilitySet::ALL);
        assert_eq!(set, Ok(()));
    }
    handlers
}

/// What a quota says that refuses.
fn over_quota(
    handlers: &mut DeviceHandlers,
    now: Instant,
    tenant: Tenant,
    operation: Operation,
) -> QuotaError {
    match handlers.admit(now, tenant, operation) {
        Err(AdmitError::Quota(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn at_ms(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

fn quota(handlers: &DeviceHandlers, tenant: Tenant, resource: Resource) -> QuotaView {
    handlers.quotas(tenant).nth(resource.index()).unwrap()
}

#[test]
fn what_is_held_ends_at_the_limit_and_comes_back() {
    let cases = [
        (
            Operation::GpuAllocate { bytes: 32 << 20 },
            4,
            Resource::GpuMemory,
        ),
        (Operation::GpuRender, 32, Resource::GpuQueue),
        (Operation::Input(InputKind::Key), 64, Resource::InputQueue),
        (Operation::BlockFlush, 16, Resource::BlockRequests),
    ];
    for (operation, most, resource) in cases {
        let mut handlers = handlers();
        let now = at_ms(5);
        for _ in 0..most {
            assert_eq!(handlers.admit(now, FIRST, operation), Ok(None));
        }
        let error = over_quota(&mut handlers, now, FIRST, operation);
        assert_eq!((error.resource, error.ready_at), (resource, None));
        assert_eq!(handlers.admit(now, SECOND, operation), Ok(None));
        assert_eq!(handlers.admit(now, Tenant::KERNEL, operation), Ok(None));
        handlers.release(FIRST, operation, None);
        assert_eq!(handlers.admit(now, FIRST, operation), Ok(None));
        let counts = handlers.counts(FIRST, operation.device());
        assert_eq!((counts.allowed, counts.denied), (most + 1, 1));
        assert_eq!(quota(&handlers, FIRST, resource).denied, 1);
        for _ in 0..most {
            handlers.release(FIRST, operation, None);
        }
        let view = quota(&handlers, FIRST, resource);
        assert_eq!((view.used, view.high_water), (Some(0), view.limit));
    }
}

#[test]
fn a_tenant_sends_and_receives_100_mbit_a_second_each_way_and_the_kernel_more() {
    let mut handlers = handlers();
    let frame = 1_514;
    let mut sent = [0; 3];
    for micro in 0..2_000_000 {
        let now = Instant::ZERO + Duration::from_micros(micro);
        let send = Operation::NetworkSend { bytes: frame };
        let receive = Operation::NetworkReceive { bytes: frame };
        let asked = [(FIRST, send), (FIRST, receive), (Tenant::KERNEL, send)];
        for (sum, (tenant, operation)) in sent.iter_mut().zip(asked) {
            *sum += frame * usize::from(handlers.admit(now, tenant, operation).is_ok());
        }
    }
    let burst = 250_000;
    for bytes in &sent[..2] {
        assert!((25_000_000 - frame..=25_000_000 + burst).contains(bytes));
    }
    assert_eq!(sent[2], 2_000_000 * frame);
    assert_eq!(
        handlers.counts(FIRST, Device::Network).bytes,
        (sent[0] + sent[1]) as u64
    );
}

#[test]
fn a_disk_ends_for_a_tenant_where_its_quota_ends() {
    let mut handlers = handlers();
    let last = (10 << 30) / SECTOR_BYTES as u64 - 1;
    let read = |sector, sectors| Operation::BlockRead { sector, sectors };
    assert_eq!(handlers.admit(at_ms(0), FIRST, read(last, 1)), Ok(None));
    for (sector, sectors) in [
        (last, 2),
        (last + 1, 1),
        (u64::MAX, u64::MAX),
        (0, u64::MAX),
    ] {
        let error = over_quota(&mut handlers, at_ms(0), FIRST, read(sector, sectors));
        assert_eq!(error.resource, Resource::BlockSpace);
        let write = Operation::BlockWrite { sector, sectors };
        assert!(handlers.admit(at_ms(0), FIRST, write).is_err());
    }
    // What was refused holds nothing.
    assert_eq!(
        quota(&handlers, FIRST, Resource::BlockRequests).used,
        Some(1)
    );
}

#[test]
fn a_rate_that_is_used_up_says_when_to_come_back() {
    let mut handlers = handlers();
    handlers.set_quota(at_ms(0), FIRST, Resource::BlockWrites, Some(10));
    let write = Operation::BlockWrite {
        sector: 0,
        sectors: 8,
    };
    let now = at_ms(1_000);
    assert_eq!(handlers.admit(now, FIRST, write), Ok(None));
    handlers.release(FIRST, write, None);
    let error = over_quota(&mut handlers, now, FIRST, write);
    assert_eq!(error.ready_at, Some(at_ms(1_100)));
    assert_eq!(
        error.to_string(),
        "tenant 1 is over its quota of block-writes, 10 writes a second; \
         device quota set 1 block-writes LIMIT changes it"
    );
    assert_eq!(handlers.admit(at_ms(1_100), FIRST, write), Ok(None));
    handlers.set_quota(now, FIRST, Resource::BlockWrites, None);
    handlers.set_quota(now, FIRST, Resource::BlockRequests, None);
    for _ in 0..1_000 {
        assert_eq!(handlers.admit(at_ms(1_100), FIRST, write), Ok(None));
    }
}

#[test]
fn the_kernel_can_be_limited_too() {
    let mut handlers = handlers();
    handlers.set_quota(
        at_ms(0),
        Tenant::KERNEL,
        Resource::NetworkOut,
        Some(1_000_000),
    );
    let send = Operation::NetworkSend { bytes: 64 * 1024 };
    let now = at_ms(0);
    assert_eq!(handlers.admit(now, Tenant::KERNEL, send), Ok(None));
    assert_eq!(handlers.admit(now, Tenant::KERNEL, send), Ok(None));
    assert!(handlers.admit(now, Tenant::KERNEL, send).is_err());
}

#[test]
fn a_lower_limit_takes_nothing_away_but_gives_nothing_new() {
    let mut handlers = handlers();
    let (now, half) = (at_ms(0), Operation::GpuAllocate { bytes: 64 << 20 });
    assert_eq!(handlers.admit(now, FIRST, half), Ok(None));
    handlers.set_quota(now, FIRST, Resource::GpuMemory, Some(1 << 20));
    let byte = Operation::GpuAllocate { bytes: 1 };
    assert!(handlers.admit(now, FIRST, byte).is_err());
    handlers.release(FIRST, half, None);
    assert_eq!(handlers.admit(now, FIRST, byte), Ok(None));
    let all = Operation::GpuAllocate { bytes: u64::MAX };
    handlers.set_quota(now, FIRST, Resource::GpuMemory, None);
    assert!(handlers.admit(now, FIRST, all).is_err());
}

#[test]
fn a_flood_of_denials_does_not_push_what_others_did_out_of_the_audit() {
    let mut handlers = handlers();
    handlers.on_console_line(at_ms(0), SECOND, "status");
    let frame = Operation::NetworkSend { bytes: 1_514 };
    for micro in 0..3_000_000 {
        let now = Instant::ZERO + Duration::from_micros(micro);
        let _ = handlers.admit(now, FIRST, frame);
    }
    let records: std::vec::Vec<_> = handlers.audit().collect();
    assert!(matches!(&records[0].event, AuditEvent::ConsoleLine { text } if &**text == "status"));
    let denials = records[1..].iter().map(|record| match record.event {
        AuditEvent::Denied { times, .. } => times,
        _ => panic!("{record:?}"),
    });
    assert!(records.len() <= 4, "{}", records.len());
    assert_eq!(
        denials.sum::<u64>(),
        handlers.counts(FIRST, Device::Network).denied
    );
}

#[test]
fn a_secret_that_is_typed_on_a_console_is_not_remembered() {
    let mut handlers = handlers();
    let line = "echo token=correct-horse-battery tpm-owner=somebody and more";
    handlers.on_console_line(at_ms(0), FIRST, line);
    let shown = std::format!("{:?}", handlers.audit().last());
    assert!(shown.contains("and more"), "{shown}");
    assert!(
        !shown.contains("correct") && !shown.contains("somebody"),
        "{shown}"
    );
}

#[test]
fn the_audit_keeps_the_newest_and_counts_what_it_forgot() {
    let mut handlers = handlers();
    let long = "x".repeat(DEVICE_AUDIT_TEXT_MAX + 1);
    for _ in 0..DEVICE_AUDIT_MAX + 3 {
        handlers.on_console_line(at_ms(0), FIRST, &long);
    }
    let numbers = handlers.audit().map(|record| record.number);
    assert!(numbers.eq(3..DEVICE_AUDIT_MAX as u64 + 3));
    assert_eq!(handlers.audit_forgotten(), 3);
    let newest = handlers.audit().last().unwrap();
    assert!(matches!(&newest.event, AuditEvent::ConsoleLine { text } if text.is_cut()));
}

#[test]
fn random_operations_never_hold_more_than_the_limit_and_all_comes_back() {
    for seed in 0..20 {
        let mut prng = Prng::new(seed);
        let mut handlers = handlers();
        let mut held: std::vec::Vec<(Tenant, Operation)> = std::vec::Vec::new();
        for step in 0..3_000 {
            let tenant = Tenant::new(1 + prng.below(7) as usize).unwrap();
            let operation = any_operation(&mut prng);
            let now = at_ms(step);
            let before = handlers.counts(tenant, operation.device());
            let is_allowed = handlers.admit(now, tenant, operation).is_ok();
            let after = handlers.counts(tenant, operation.device());
            assert_eq!(after.allowed - before.allowed, u64::from(is_allowed));
            assert_eq!(after.denied - before.denied, u64::from(!is_allowed));
            if is_allowed {
                held.push((tenant, operation));
            }
            if prng.one_in(3) && !held.is_empty() {
                let (tenant, operation) = held.swap_remove(prng.below(held.len() as u64) as usize);
                handlers.release(tenant, operation, None);
            }
            for view in handlers.quotas(tenant) {
                assert!(view.used.unwrap_or(0) <= view.limit.unwrap_or(u64::MAX));
            }
        }
        for (tenant, operation) in held {
            handlers.release(tenant, operation, None);
        }
        for tenant in Tenant::all() {
            assert!(
                handlers
                    .quotas(tenant)
                    .all(|view| view.used.unwrap_or(0) == 0)
            );
        }
    }
}

fn any_operation(prng: &mut Prng) -> Operation {
    let (sector, sectors) = (prng.below(30 << 20), prng.below(256));
    match prng.below(9) {
        0 => Operation::GpuAllocate {
            bytes: prng.below(48 << 20),
        },
        1 => Operation::GpuRender,
        2 => Operation::NetworkReceive {
            bytes: prng.below(65_536) as usize,
        },
        3 => Operation::NetworkSend {
            bytes: prng.below(65_536) as usize,
        },
        4 => Operation::BlockRead { sector, sectors },
        5 => Operation::BlockWrite { sector, sectors },
        6 => Operation::BlockFlush,
        7 => Operation::Input(InputKind::ALL[prng.below(3) as usize]),
        _ => Operation::ConsoleWrite {
            bytes: prng.below(200) as usize,
        },
    }
}

/// Two tenants take turns at one device that does `CAPACITY` bytes a second.
#[test]
fn a_tenant_at_ten_times_its_quota_does_not_slow_the_next_one() {
    let alone = throughput(0);
    let beside = throughput(10);
    let change = alone.abs_diff(beside) as f64 / alone as f64;
    assert!(change < 0.01, "{alone} alone, {beside} beside a flood");
}

/// Bytes a second of the second tenant, which sends at half its quota, while the first
/// one sends at `flood` times its own.
fn throughput(flood: u64) -> u64 {
    /// Of the wire: both quotas together, and a little.
    const CAPACITY: u64 = 26_000_000;
    const SECONDS: u64 = 4;
    let mut handlers = handlers();
    let mut wire = TokenBucket::new(CAPACITY, 64 * 1024);
    let bytes = 1_500;
    let mut sources = [
        (FIRST, TokenBucket::new(12_500_000 * flood, 3_000), 0),
        (SECOND, TokenBucket::new(6_250_000, 3_000), 0),
    ];
    for step in 0..SECONDS * 50_000 {
        let now = Instant::ZERO + Duration::from_micros(step * 20);
        for (tenant, source, done) in &mut sources {
            let operation = Operation::NetworkSend {
                bytes: bytes as usize,
            };
            while source.take(now, bytes).is_ok() {
                if handlers.admit(now, *tenant, operation).is_ok() && wire.take(now, bytes).is_ok()
                {
                    *done += bytes;
                }
            }
        }
    }
    sources[1].2 / SECONDS
}
