//! Two tenants share a port: one far over its quota does not slow the other.

use rayos_kernel::base::buffer::Buffer;
use rayos_kernel::base::capability::{
    Capability, CapabilitySet, Constraints, Order as CapabilityOrder, PortRange,
};
use rayos_kernel::base::config::AddressSource;
use rayos_kernel::base::disk::{Disk, Disks};
use rayos_kernel::base::network_port::{
    Checksums, Frame, NetworkPort, Offload, PortCounters, PortFacts,
};
use rayos_kernel::base::service::ServiceSet;
use rayos_kernel::base::subject::Subject;
use rayos_kernel::base::tenant::Tenant;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::drivers::handlers::{Device, DeviceHandlers, Resource};
use rayos_kernel::net::network::{Network, Setup};
use rayos_kernel::net::packet::{Endpoint, protocol};
use rayos_kernel::net::ports::Ports;
use rayos_kernel::net::udp::UdpSocket;
use rayos_kernel::storage::io::Queues;
use rayos_kernel::workloads::load::{LoadView, Loads, Order, Work};
use rayos_sim::SimDisk;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};

const FLOODING: Tenant = Tenant::new(1).unwrap();
const MODEST: Tenant = Tenant::new(2).unwrap();
/// 100 Mbit/s.
const QUOTA: u64 = 12_500_000;
const HALF: u64 = QUOTA / 2;
const SECONDS: u64 = 3;
const TICK: Duration = Duration::from_micros(500);
const FRAME_BYTES: usize = 2_048;
const FRAMES: usize = 256;

/// A gigabit port whose frames leave at the speed of the wire.
struct Port {
    free: Vec<Buffer>,
    sending: VecDeque<Frame>,
    arrived: VecDeque<Frame>,
    /// Frames that found no room in the ring.
    overrun: u64,
    /// Bytes that the wire could have carried and has not.
    credit: usize,
}

impl Port {
    fn new() -> Self {
        let buffer = |_| Buffer::new(Box::leak(vec![0; FRAME_BYTES].into()), 0);
        Self {
            free: (0..2 * FRAMES).map(buffer).collect(),
            sending: VecDeque::new(),
            arrived: VecDeque::new(),
            overrun: 0,
            credit: 0,
        }
    }

    /// The wire takes a tick's worth of frames.
    fn drain(&mut self) {
        let per_tick = 125_000_000 / 1_000_000 * TICK.as_micros() as usize;
        self.credit = (self.credit + per_tick).min(2 * per_tick);
        while let Some(frame) = self.sending.front()
            && frame.len() <= self.credit
        {
            self.credit -= frame.len();
            let frame = self.sending.pop_front().unwrap();
            self.recycle(frame);
        }
    }

    fn arrive(&mut self, bytes: &[u8]) {
        match self.free.pop() {
            Some(buffer) if self.arrived.len() < FRAMES => {
                let mut frame = Frame::new(buffer, 0..bytes.len());
                frame.bytes_mut().copy_from_slice(bytes);
                frame.checksums = Checksums::Trusted;
                self.arrived.push_back(frame);
            }
            buffer => {
                self.free.extend(buffer);
                self.overrun += 1;
            }
        }
    }
}

impl NetworkPort for Port {
    fn facts(&self) -> PortFacts {
        PortFacts {
            name: "eth0",
            hardware_address: [0x52, 0x54, 0, 0x12, 0x34, 0x56],
            is_link_up: true,
            mtu: 1_500,
            completes_checksums: true,
            segments_bytes_max: 0,
        }
    }

    fn receive(&mut self) -> Option<Frame> {
        self.arrived.pop_front()
    }

    fn recycle(&mut self, frame: Frame) {
        self.free.push(frame.into_buffer());
    }

    fn take_frame(&mut self, bytes: usize) -> Option<Frame> {
        if self.sending.len() >= FRAMES || bytes > FRAME_BYTES {
            return None;
        }
        Some(Frame::new(self.free.pop()?, 0..bytes))
    }

    fn transmit(&mut self, frame: Frame, _: Offload) {
        self.sending.push_back(frame);
    }

    fn flush(&mut self) {}

    fn counters(&self) -> PortCounters {
        PortCounters::default()
    }
}

impl Ports for Port {
    fn port(&mut self, index: usize) -> Option<&mut dyn NetworkPort> {
        (index == 0).then_some(self)
    }
}

/// A network with an interface for each of the two tenants.
struct World {
    now: Instant,
    port: Port,
    network: Network,
    handlers: DeviceHandlers,
    loads: Loads,
}

impl World {
    fn new() -> Self {
        let setup = Setup {
            secret: [7; 32],
            tcp_buffer_bytes: 1 << 20,
            address: AddressSource::Off,
            gateway: None,
            services: ServiceSet::NONE,
        };
        let mut world = Self {
            now: Instant::ZERO,
            port: Port::new(),
            network: Network::new(setup),
            handlers: DeviceHandlers::new(),
            loads: Loads::default(),
        };
        world.run(Duration::from_millis(1), |_| {});
        for tenant in [FLOODING, MODEST] {
            world.allow(tenant);
            let (now, handlers) = (world.now, &mut world.handlers);
            let port = &mut world.port;
            let added = world
                .network
                .add_tenant_interface(now, 0, tenant, port, handlers);
            added.unwrap();
        }
        // Addresses are used once nobody else has claimed them.
        world.run(Duration::from_secs(3), |_| {});
        world
    }

    fn allow(&mut self, tenant: Tenant) {
        let (grants, subject) = (self.handlers.grants_mut(), Subject::Tenant(tenant));
        let given = grants.set_standing(self.now, Subject::KERNEL, subject, CapabilitySet::ALL);
        given.unwrap();
    }

    fn run(&mut self, span: Duration, mut each: impl FnMut(&mut Self)) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + TICK;
            each(self);
            let (now, port, handlers) = (self.now, &mut self.port, &mut self.handlers);
            self.network.receive(now, port, handlers);
            self.network.step(now, port, handlers);
            let mut outlet = self.network.outlet(now, port, handlers);
            self.loads.step(now, &mut outlet);
            self.network.transmit(now, port, handlers);
            port.drain();
        }
    }

    fn start(&mut self, tenant: Tenant, work: Work, per_s: u64) {
        let order = Order {
            tenant,
            work,
            per_s,
            duration: Duration::from_secs(SECONDS),
        };
        self.loads.start(self.now, order).unwrap();
    }

    fn load_of(&self, tenant: Tenant) -> LoadView {
        let mut views = self.loads.view(self.now);
        views.find(|view| view.order.tenant == tenant).unwrap()
    }

    /// The tenant's address on its own interface, and the hardware address there.
    fn address_of(&self, tenant: Tenant) -> (Ipv6Addr, [u8; 6]) {
        let mut interfaces = self.network.view().interfaces();
        let (_, own) = interfaces.find(|(_, own)| own.tenant == tenant).unwrap();
        let address = own.slaac.addresses().next().unwrap().address;
        (address, own.hardware.0)
    }

    fn listen(&mut self, tenant: Tenant) -> UdpSocket {
        let firewall = self.network.firewall_mut();
        firewall.offer(tenant, protocol::UDP, 9).unwrap();
        let mut outlet = self
            .network
            .outlet(self.now, &mut self.port, &mut self.handlers);
        outlet.bind_udp(tenant, None, 9).unwrap()
    }

    fn take_all(&mut self, socket: UdpSocket) -> u64 {
        let mut outlet = self
            .network
            .outlet(self.now, &mut self.port, &mut self.handlers);
        let mut bytes = 0;
        while let Some(datagram) = outlet.take_udp(socket) {
            bytes += datagram.payload().len() as u64;
            outlet.release_udp(datagram);
        }
        bytes
    }
}

#[test]
fn an_address_is_not_used_before_it_could_be_asked_about() {
    let mut world = World::new();
    let tenant = Tenant::new(3).unwrap();
    let (now, handlers) = (world.now, &mut world.handlers);
    let port = &mut world.port;
    let network = &mut world.network;
    let added = network.add_tenant_interface(now, 0, tenant, port, handlers);
    let interface = added.unwrap();
    let is_usable = |world: &World| {
        let mut interfaces = world.network.view().interfaces();
        let (_, own) = interfaces.find(|(index, _)| *index == interface).unwrap();
        let mut addresses = own.slaac.addresses();
        addresses.any(|own| own.is_usable())
    };
    world.run(Duration::from_secs(20), |_| {});
    let counts = world.handlers.counts(tenant, Device::Network);
    assert!(!is_usable(&world) && counts.allowed == 0 && counts.denied >= 10);
    world.allow(tenant);
    world.run(Duration::from_secs(3), |_| {});
    let counts = world.handlers.counts(tenant, Device::Network);
    assert!(is_usable(&world) && counts.allowed >= 1);
}

#[test]
fn a_right_for_some_ports_lets_out_what_goes_there_and_what_has_no_port() {
    let mut world = World::new();
    let tenant = Tenant::new(3).unwrap();
    let grant = |world: &mut World, port| {
        let order = CapabilityOrder {
            to: Subject::Tenant(tenant),
            capabilities: Capability::Net.into(),
            time_to_live: Duration::from_secs(60),
            constraints: Constraints {
                ports: PortRange::new(port, port),
                ..Constraints::NONE
            },
        };
        let grants = world.handlers.grants_mut();
        grants.grant(world.now, Subject::KERNEL, &order).unwrap()
    };
    grant(&mut world, 10);
    let (now, handlers) = (world.now, &mut world.handlers);
    let port = &mut world.port;
    let added = world
        .network
        .add_tenant_interface(now, 0, tenant, port, handlers);
    added.unwrap();
    // Who has this address, is there a router: neither has a port.
    world.run(Duration::from_secs(3), |_| {});
    let send = |world: &mut World| {
        world.start(tenant, everybody(), 1_000_000);
        world.run(Duration::from_secs(SECONDS + 1), |_| {});
        world.load_of(tenant)
    };
    let refused = send(&mut world);
    assert!(refused.done == 0 && refused.denied > 1_000 && refused.failed == 0);
    let number = grant(&mut world, 9);
    let sent = send(&mut world);
    assert!(sent.done > 1_000 && sent.denied == 0, "{sent:?}");
    let grants = world.handlers.grants_mut();
    grants.revoke(world.now, Subject::KERNEL, number).unwrap();
    let refused = send(&mut world);
    assert!(refused.done == 0 && refused.denied > 1_000);
}

fn everybody() -> Work {
    let address: IpAddr = "ff02::1234".parse().unwrap();
    Work::Network {
        to: Endpoint { address, port: 9 },
    }
}

/// An Ethernet frame with a datagram of 1,400 bytes to port 9.
fn datagram_to((address, hardware): (Ipv6Addr, [u8; 6])) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(hardware);
    frame.extend([0x02, 0, 0, 0, 0, 9]);
    frame.extend([0x86, 0xdd]);
    let udp_bytes = 8 + 1_400_u16;
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(udp_bytes.to_be_bytes());
    frame.extend([protocol::UDP, 64]);
    frame.extend("fe80::9".parse::<Ipv6Addr>().unwrap().octets());
    frame.extend(address.octets());
    frame.extend(4_000_u16.to_be_bytes());
    frame.extend(9_u16.to_be_bytes());
    frame.extend(udp_bytes.to_be_bytes());
    frame.extend([1, 1]);
    frame.extend([0x55; 1_400]);
    frame
}

fn change(alone: u64, beside: u64) -> f64 {
    alone.abs_diff(beside) as f64 / alone as f64
}

#[test]
fn sending_at_ten_times_the_quota_is_refused_and_does_not_slow_the_next_tenant() {
    let sent_beside = |flood: u64| {
        let mut world = World::new();
        world.start(MODEST, everybody(), HALF);
        if flood > 0 {
            world.start(FLOODING, everybody(), flood * QUOTA);
        }
        world.run(Duration::from_secs(SECONDS + 1), |_| {});
        if flood > 0 {
            let view = world.load_of(FLOODING);
            let counts = world.handlers.counts(FLOODING, Device::Network);
            assert!(view.denied > view.done, "{view:?}");
            assert_eq!(counts.denied, view.denied);
            // With headers, and a burst at the beginning.
            assert!(counts.bytes <= QUOTA * SECONDS + QUOTA / 4, "{counts:?}");
            assert!(view.bytes >= QUOTA * SECONDS * 9 / 10, "{view:?}");
        }
        let view = world.load_of(MODEST);
        assert_eq!((view.denied, view.is_running), (0, false));
        view.bytes
    };
    let (alone, beside) = (sent_beside(0), sent_beside(10));
    assert!(alone >= HALF * SECONDS * 99 / 100, "{alone}");
    assert!(
        change(alone, beside) < 0.02,
        "{alone} alone, {beside} beside"
    );
}

#[test]
fn being_sent_ten_times_the_quota_does_not_slow_what_the_next_tenant_is_sent() {
    let received_beside = |flood: u64| {
        let mut world = World::new();
        let sockets = [world.listen(FLOODING), world.listen(MODEST)];
        let frames = [FLOODING, MODEST].map(|tenant| datagram_to(world.address_of(tenant)));
        let per_s = [flood * QUOTA, HALF];
        let mut owed = [0; 2];
        let mut received = [0; 2];
        world.run(Duration::from_secs(SECONDS), |world| {
            for ((owed, frame), per_s) in owed.iter_mut().zip(&frames).zip(per_s) {
                *owed += per_s * TICK.as_micros() / 1_000_000;
                while *owed >= frame.len() as u64 {
                    *owed -= frame.len() as u64;
                    world.port.arrive(frame);
                }
            }
            for (bytes, socket) in received.iter_mut().zip(sockets) {
                *bytes += world.take_all(socket);
            }
        });
        let denied = world.handlers.counts(FLOODING, Device::Network).denied;
        assert_eq!(denied > 0, flood > 0);
        assert!(received[0] <= QUOTA * SECONDS + QUOTA / 4);
        received[1]
    };
    let (alone, beside) = (received_beside(0), received_beside(10));
    assert!(alone >= HALF * SECONDS * 9 / 10, "{alone}");
    assert!(
        change(alone, beside) < 0.02,
        "{alone} alone, {beside} beside"
    );
}

#[test]
fn every_quota_of_a_load_refuses_it_and_gives_back_what_it_held() {
    let mut world = World::new();
    world.start(FLOODING, Work::Gpu, 1_000);
    world.start(MODEST, Work::Input, 1_000);
    world.run(Duration::from_secs(SECONDS - 1), |_| {});
    let held = |world: &World, tenant, resource: Resource| {
        let mut quotas = world.handlers.quotas(tenant);
        quotas
            .find(|quota| quota.resource == resource)
            .unwrap()
            .used
    };
    assert_eq!(held(&world, FLOODING, Resource::GpuMemory), Some(128 << 20));
    assert_eq!(held(&world, MODEST, Resource::InputQueue), Some(64));
    world.run(Duration::from_secs(2), |_| {});
    assert_eq!(held(&world, FLOODING, Resource::GpuMemory), Some(0));
    assert_eq!(held(&world, MODEST, Resource::InputQueue), Some(0));
    let (gpu, input) = (world.load_of(FLOODING), world.load_of(MODEST));
    assert_eq!((gpu.done, input.done), (128, 64));
    assert!(gpu.denied > 2_000 && input.denied > 2_000);
    // A console has no quota.
    world.start(MODEST, Work::Console, 1_000);
    world.run(Duration::from_secs(SECONDS + 1), |_| {});
    let console = world.load_of(MODEST);
    assert!(console.denied == 0 && console.done.abs_diff(3_000) <= 20);
}

struct OneDisk(SimDisk);

impl Disks for OneDisk {
    fn disk(&mut self, index: usize) -> Option<&mut dyn Disk> {
        (index == 0).then_some(&mut self.0)
    }
}

#[test]
fn reading_at_ten_times_the_quota_is_refused_and_does_not_slow_the_next_tenant() {
    const READ_BYTES: u64 = 4_096;
    let read_beside = |flood: u64| {
        let mut world = World::new();
        let (mut disk, mut queues) = (OneDisk(SimDisk::default()), Queues::default());
        for _ in 0..16 {
            let memory = Box::leak(vec![0; READ_BYTES as usize].into());
            world.loads.add_buffer(Buffer::new(memory, 0));
        }
        for tenant in [FLOODING, MODEST] {
            let (now, handlers) = (world.now, &mut world.handlers);
            handlers.set_quota(now, tenant, Resource::BlockReads, Some(500));
        }
        world.start(MODEST, Work::Block { disk: 0 }, 250 * READ_BYTES);
        if flood > 0 {
            world.start(FLOODING, Work::Block { disk: 0 }, flood * 500 * READ_BYTES);
        }
        world.run(Duration::from_secs(SECONDS + 1), |world| {
            disk.0.advance(world.now);
            let (now, handlers) = (world.now, &mut world.handlers);
            queues.receive(now, &mut disk);
            while let Some(done) = queues.take_done() {
                world.loads.on_done(done, handlers);
            }
            world.loads.step_disks(now, handlers, &mut queues);
            queues.send(now, &mut disk);
        });
        if flood > 0 {
            let view = world.load_of(FLOODING);
            assert!(view.denied > view.done, "{view:?}");
            assert_eq!(view.failed, 0, "{view:?}");
            assert!(view.done.abs_diff(500 * SECONDS) <= 15, "{view:?}");
        }
        let mut quotas = world.handlers.quotas(FLOODING);
        let requests = quotas.find(|quota| quota.resource == Resource::BlockRequests);
        assert_eq!(requests.unwrap().used, Some(0));
        assert_eq!(world.loads.usage().used, Some(0));
        let view = world.load_of(MODEST);
        assert_eq!((view.denied, view.failed), (0, 0));
        view.bytes
    };
    let (alone, beside) = (read_beside(0), read_beside(10));
    assert!(alone >= 250 * READ_BYTES * SECONDS * 98 / 100, "{alone}");
    assert!(
        change(alone, beside) < 0.02,
        "{alone} alone, {beside} beside"
    );
}
