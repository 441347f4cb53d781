//! What a lease must be to be believed, and what it means for the routes.

use crate::base::time::{Duration, Instant};
use crate::net::dhcp::*;
use std::vec::Vec;

fn ack(address: [u8; 4], mask: [u8; 4]) -> Repr {
    let mut repr = Repr::new(MessageType::Ack, 1, [2, 0, 0, 0, 0, 1]);
    repr.your_address = Ipv4Addr::from(address);
    repr.server = Some(Ipv4Addr::new(10, 0, 0, 1));
    repr.lease_seconds = Some(800);
    repr.parameters.subnet_mask = Some(Ipv4Addr::from(mask));
    repr
}

fn accept(repr: &Repr) -> Result<Lease, Flaw> {
    Lease::accept(repr, Instant::ZERO, &mut Flaws::default())
}

fn routed(lease: &Lease) -> Vec<(Ipv4Addr, u8, Ipv4Addr)> {
    let routes = lease.routes();
    routes
        .map(|route| (route.destination, route.prefix, route.router))
        .collect()
}

#[test]
fn t1_is_half_and_t2_seven_eighths_unless_the_server_says_better() {
    let at = |seconds| Some(Instant::ZERO + Duration::from_secs(seconds));
    for (given, times) in [
        ((None, None), (400, 700)),
        ((Some(100), Some(200)), (100, 200)),
        ((Some(200), Some(100)), (400, 700)),
        ((Some(100), Some(800)), (400, 700)),
        ((Some(0), Some(100)), (400, 700)),
        ((Some(100), None), (400, 700)),
    ] {
        let mut repr = ack([10, 0, 0, 9], [255, 255, 255, 0]);
        (repr.renew_seconds, repr.rebind_seconds) = given;
        let found = accept(&repr).unwrap().times;
        assert_eq!(
            (found.renew, found.rebind),
            (at(times.0), at(times.1)),
            "{given:?}"
        );
        assert_eq!(found.expire, at(800));
    }
}

#[test]
fn an_address_that_no_station_can_have_is_no_lease() {
    for (address, mask, expected) in [
        ([10, 0, 0, 9], [255, 255, 255, 0], None),
        ([10, 0, 0, 9], [255, 255, 255, 255], None),
        ([10, 0, 0, 8], [255, 255, 255, 254], None),
        ([10, 0, 0, 8], [255, 255, 255, 252], Some(Flaw::Address)),
        ([10, 0, 0, 11], [255, 255, 255, 252], Some(Flaw::Address)),
        ([0, 0, 0, 9], [255, 255, 255, 0], Some(Flaw::Address)),
        ([240, 0, 0, 9], [255, 255, 255, 0], Some(Flaw::Address)),
        ([10, 0, 0, 9], [0, 0, 0, 0], Some(Flaw::Mask)),
        ([10, 0, 0, 9], [255, 0, 255, 0], Some(Flaw::Mask)),
    ] {
        assert_eq!(
            accept(&ack(address, mask)).err(),
            expected,
            "{address:?} {mask:?}"
        );
    }
    let mut repr = ack([172, 16, 0, 9], [0; 4]);
    repr.parameters.subnet_mask = None;
    assert_eq!(accept(&repr).unwrap().prefix, 16);
}

#[test]
fn a_router_outside_of_the_subnet_is_reached_over_a_route_of_its_own() {
    let mut repr = ack([10, 0, 0, 9], [255, 255, 255, 255]);
    let (any, router) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 9, 9, 1));
    repr.parameters.routers.push(router).unwrap();
    let lease = accept(&repr).unwrap();
    assert_eq!(routed(&lease), [(router, 32, any), (any, 0, router)]);
    assert_eq!(lease.gateway(), Some(router));
}

#[test]
fn classless_routes_replace_the_routers() {
    let mut repr = ack([10, 0, 0, 9], [255, 255, 255, 0]);
    let (any, router) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::new(10, 0, 0, 1));
    let destination = Ipv4Addr::new(192, 168, 0, 0);
    repr.parameters.routers.push(router).unwrap();
    let prefix = 16;
    let route = LeasedRoute {
        destination,
        prefix,
        router,
    };
    repr.parameters.routes.push(route).unwrap();
    let mut lease = accept(&repr).unwrap();
    assert_eq!(routed(&lease), [(destination, 16, router)]);
    assert_eq!(lease.gateway(), None);
    lease.parameters.routes.clear();
    assert_eq!(routed(&lease), [(any, 0, router)]);
}

#[test]
fn nobody_is_his_own_router() {
    let mut repr = ack([10, 0, 0, 9], [255, 255, 255, 0]);
    repr.parameters.routers.push(repr.your_address).unwrap();
    let mut flaws = Flaws::default();
    let lease = Lease::accept(&repr, Instant::ZERO, &mut flaws).unwrap();
    assert_eq!((lease.gateway(), flaws.of(Flaw::ServerAddress)), (None, 1));
}
