//! RayOS and Linux on one network: pings, large packets, transfers over a bad wire, many connections, hostile frames.

use std::io::Read;
use std::net::{IpAddr, Shutdown};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rayos_kernel::base::prng::Prng;
use rayos_tests::form;
use rayos_tests::lab::dhcp_server::DhcpServer;
use rayos_tests::lab::guest::Guest;
use rayos_tests::lab::host;
use rayos_tests::lab::wire::Impairments;
use rayos_tests::lab::{GUEST, HOST, HOST_V6, Lab};
use rayos_tests::poll;
use xtask::qemu::devices::HARDWARE_ADDRESS;

const ADDRESS: IpAddr = IpAddr::V4(GUEST);
const CONFIGURED_WITHIN: Duration = Duration::from_secs(60);
/// Ended connections and forgotten flows are kept for minutes by design.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(300);

fn transfer_bytes(long: u64) -> u64 {
    if form::is_long() {
        return long;
    }
    form::say_skipped("a hundredth of the bytes; `cargo xtask test --long` moves all of them");
    long / 100
}

/// An open port answers within milliseconds; silence for so long is a closed one.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);
const WHOLE_TRANSFER: u64 = 100_000_000;

/// 5 % lost, reordering, and some of everything else.
const BAD: Impairments = Impairments {
    seed: 5,
    lost: 50,
    doubled: 5,
    spoiled: 2,
    held_back: 30,
    held_back_for: Duration::from_millis(8),
    delay: Duration::from_millis(1),
};

#[test]
fn pings_are_answered_both_ways() {
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let pings = lab.run(
        "busybox",
        &[
            "ping",
            "-c",
            "5",
            "-i",
            "0.2",
            "-W",
            "5",
            &GUEST.to_string(),
        ],
    );
    assert!(pings.unwrap().contains(" 0% packet loss"));
    guest.ask(&format!("net ping {HOST}")).unwrap();
}

#[test]
fn an_address_from_a_router_is_reachable_over_ipv6() {
    let lab = Lab::new().unwrap();
    let _router = DhcpServer::dnsmasq(&lab, 120, &["--ra-param=bridge0,5,60"]).unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    let address = slaac_address();
    guest.expect_reachable(&lab, address).unwrap();
    guest.ask(&format!("net ping {HOST_V6}")).unwrap();
    host::echo(&lab, address, b"over IPv6").unwrap();
}

/// The address that a machine makes of the laboratory's prefix and its hardware address (RFC 4291, appendix A).
fn slaac_address() -> IpAddr {
    let bytes: Vec<u16> = HARDWARE_ADDRESS
        .split(':')
        .map(|byte| u16::from_str_radix(byte, 16).unwrap())
        .collect();
    let mut segments = HOST_V6.segments();
    segments[4] = (bytes[0] ^ 2) << 8 | bytes[1];
    segments[5] = bytes[2] << 8 | 0xff;
    segments[6] = 0xfe00 | bytes[3];
    segments[7] = bytes[4] << 8 | bytes[5];
    IpAddr::from(segments)
}

#[test]
fn large_packets_go_through_whole_where_the_device_takes_them() {
    let lab = Lab::with_mtu(9000).unwrap();
    let device = lab.network_device().with("host_mtu=9000");
    let mut guest = Guest::boot(&lab.shape_with(device)).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    // More than one Ethernet frame of the usual size holds, and the bridge never puts fragments together.
    let words = [
        "ping",
        "-c",
        "3",
        "-s",
        "8900",
        "-W",
        "5",
        &GUEST.to_string(),
    ];
    assert!(
        lab.run("busybox", &words)
            .unwrap()
            .contains(" 0% packet loss")
    );
    host::send(&lab, ADDRESS, 1_000_000).unwrap();
    guest.is_well().unwrap();
}

fn transfers_both_ways(lab: &Lab, guest: &mut Guest, bytes: u64) -> anyhow::Result<()> {
    guest.expect_reachable(lab, ADDRESS)?;
    let begun = Instant::now();
    let sum = host::send(lab, ADDRESS, bytes)?;
    let sent_within = begun.elapsed();
    poll::until("the machine's own sum", CONFIGURED_WITHIN, || {
        Ok((guest.service("discard", "last_bytes")? == bytes).then_some(()))
    })?;
    let told = guest.service("discard", "last_sum")?;
    ensure!(
        told == format!("{sum:016x}"),
        "the host sent {sum:016x}, the machine read {told}"
    );
    let begun = Instant::now();
    host::receive(lab, ADDRESS, bytes)?;
    let received_within = begun.elapsed();
    println!("{bytes} bytes to the machine in {sent_within:?}, from it in {received_within:?}");
    guest.is_well()
}

#[test]
fn a_transfer_arrives_whole_over_a_good_wire() {
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    transfers_both_ways(&lab, &mut guest, transfer_bytes(WHOLE_TRANSFER)).unwrap();
}

#[test]
fn a_transfer_arrives_whole_over_a_bad_wire() {
    let lab = Lab::new().unwrap();
    let (shape, wire) = lab.shape_behind_wire(BAD).unwrap();
    let mut guest = Guest::boot(&shape).unwrap();
    transfers_both_ways(&lab, &mut guest, transfer_bytes(WHOLE_TRANSFER))
        .with_context(|| format!("the wire: {:?}", wire.counters))
        .unwrap();
}

#[test]
fn a_device_without_features_carries_the_same() {
    let lab = Lab::new().unwrap();
    let plain = [
        "csum",
        "guest_csum",
        "host_tso4",
        "host_tso6",
        "guest_tso4",
        "guest_tso6",
        "mrg_rxbuf",
        "event_idx",
        "indirect_desc",
        "ctrl_vq",
    ];
    let device = plain.iter().fold(lab.network_device(), |device, name| {
        device.feature(name, false)
    });
    let mut guest = Guest::boot(&lab.shape_with(device)).unwrap();
    transfers_both_ways(&lab, &mut guest, 1_000_000).unwrap();
}

/// Limits of what is remembered of connections that have ended.
const MEMORIES: [&str; 3] = ["TCP_TIME_WAIT_MAX", "FLOWS_MAX", "FLOWS_TENANT_MAX"];

#[test]
fn a_thousand_connections_leave_every_pool_as_it_was() {
    let count = if form::is_long() { 1000 } else { 200 };
    if !form::is_long() {
        form::say_skipped(
            "800 of 1,000 connections and the minute until they are forgotten; `cargo xtask test --long` opens all of them",
        );
    }
    let lab = Lab::new().unwrap();
    let mut guest = Guest::boot(&lab.shape()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    // The first connection pays for what is made once.
    host::echo(&lab, ADDRESS, b"first").unwrap();
    let mut before = guest.usage().unwrap();
    if !form::is_long() {
        // What is remembered of ended connections is forgotten after a minute, and nothing can hurry that.
        before.retain(|(name, _)| !MEMORIES.contains(&name.as_str()));
        before.extend(MEMORIES.map(|name| (name.to_string(), u64::MAX)));
    }
    for number in 0..count {
        match number % 4 {
            0 => host::echo(&lab, ADDRESS, b"hello").unwrap(),
            // Closed by us with a reset: what was generated is never read.
            1 => drop(host::connect(&lab, ADDRESS, 19).unwrap()),
            2 => drop(host::connect(&lab, ADDRESS, 9).unwrap()),
            _ => {
                let mut stream = host::connect(&lab, ADDRESS, 7).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            }
        }
    }
    let served: u64 = ["echo", "discard", "chargen"]
        .iter()
        .map(|name| {
            guest
                .service(name, "connections")
                .unwrap()
                .as_u64()
                .unwrap()
        })
        .sum();
    assert_eq!(served, count + 1);
    guest.expect_usage(&before, FORGOTTEN_WITHIN).unwrap();
    guest.is_well().unwrap();
}

#[test]
fn a_port_that_nobody_listens_on_is_not_opened() {
    let lab = Lab::new().unwrap();
    let guest = Guest::boot(&lab.shape()).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let error = host::connect_within(&lab, ADDRESS, 23, CLOSED_WITHIN).unwrap_err();
    // Refused or, where the firewall keeps silent, not answered.
    assert!(format!("{error:#}").contains("port 23"), "{error:#}");
}

/// A frame that looks like one of the laboratory's, with something wrong in it.
fn hostile_frame(prng: &mut Prng) -> Vec<u8> {
    let hardware: Vec<u8> = HARDWARE_ADDRESS
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    let mut frame = Vec::new();
    match prng.below(4) {
        0 => frame.extend([0xff; 6]),
        1 => frame.extend([0x33, 0x33, 0, 0, 0, 1]),
        _ => frame.extend(&hardware),
    }
    frame.extend([0x52, 0x54, 0, 0, 0, 9]);
    let kind: [u8; 2] = [[8, 0], [8, 6], [0x86, 0xdd], [0x81, 0]][prng.below(4) as usize];
    frame.extend(kind);
    let length = prng.below(200) as usize;
    let mut payload: Vec<u8> = (0..length).map(|_| prng.next_u64() as u8).collect();
    let start: &[u8] = match kind {
        [8, 0] => &[
            0x45, 0, 0, 60, 0, 0, 0, 0, 64, 6, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2,
        ],
        [8, 6] => &[0, 1, 8, 0, 6, 4, 0, 1],
        [0x86, 0xdd] => &[0x60, 0, 0, 0, 0, 40, 6, 64],
        _ => &[],
    };
    // Most of the beginning is right, so that the mistake is found late.
    for (byte, right) in payload.iter_mut().zip(start) {
        if !prng.one_in(12) {
            *byte = *right;
        }
    }
    if kind == [8, 0] && payload.len() >= 20 && !prng.one_in(4) {
        payload[9] = [1, 6, 17, 2][prng.below(4) as usize];
        payload[10..12].fill(0);
        let words = payload[..20].chunks(2);
        let mut sum: u32 = words
            .map(|it| u32::from(it[0]) << 8 | u32::from(it[1]))
            .sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        payload[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }
    frame.extend(payload);
    frame
}

#[test]
fn hostile_frames_break_nothing() {
    let count = if form::is_long() { 100_000 } else { 5_000 };
    if !form::is_long() {
        form::say_skipped("95,000 of 100,000 frames; `cargo xtask test --long` sends all of them");
    }
    let lab = Lab::new().unwrap();
    let (shape, wire) = lab.shape_behind_wire(Impairments::default()).unwrap();
    let mut guest = Guest::boot(&shape).unwrap();
    guest.expect_reachable(&lab, ADDRESS).unwrap();
    let mut prng = Prng::new(99);
    for number in 0..count {
        let mut frame = hostile_frame(&mut prng);
        if prng.one_in(10) {
            // At least a byte: an empty datagram is the end of the line to QEMU, which then reads no more of it.
            frame.truncate(1 + prng.below(frame.len() as u64) as usize);
        }
        assert!(wire.inject(&frame), "frame {number} is not taken");
        if number % 1000 == 999 {
            guest.expect_reachable(&lab, ADDRESS).unwrap();
        }
    }
    host::echo(&lab, ADDRESS, b"still there").unwrap();
    let report = guest.ask("net status").unwrap();
    let errors = report.column("drops", "received").unwrap();
    let dropped: u64 = errors.iter().filter_map(|count| count.as_u64()).sum();
    println!("of {count} hostile frames {dropped} were dropped with a reason");
    // The others were right by chance, or of a protocol that counts its errors itself.
    assert!(dropped > count / 4, "{dropped} of {count}");
    guest.is_well().unwrap();
}
