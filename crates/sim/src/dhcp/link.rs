//! A link with DHCP clients, servers and other stations, in simulated time, from one seed.

use super::checker::Checker;
use super::server::{Answer, DhcpServer};
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::net::dhcp::{Client, Identity, Input, Output, Outputs, Repr, Sender};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// From one end of the link to the other.
const TRAVEL: Duration = Duration::from_micros(100);

/// A station that has an address nobody gave it.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    pub hardware_address: [u8; 6],
    pub address: Ipv4Addr,
}

pub struct Link {
    now: Instant,
    prng: Prng,
    pub clients: Vec<Client>,
    pub checkers: Vec<Checker>,
    pub servers: Vec<DhcpServer>,
    stations: Vec<Station>,
    /// One frame in so many is lost, and one in so many comes twice; 0 for none.
    pub loss_one_in: u64,
    pub twice_one_in: u64,
    /// The number keeps those of one moment in order.
    queue: BTreeMap<(Instant, u64), Event>,
    events: u64,
}

enum Event {
    /// A datagram for the servers.
    Asked {
        bytes: Vec<u8>,
        destination: Ipv4Addr,
    },
    /// A datagram for the client with that hardware address, or for all.
    Answered {
        bytes: Vec<u8>,
        sender: Sender,
        to: Option<[u8; 6]>,
    },
    Arp {
        sender_mac: [u8; 6],
        sender_ip: Ipv4Addr,
        target_ip: Ipv4Addr,
    },
}

impl Link {
    /// So many clients, started and with a link.
    pub fn new(seed: u64, clients: usize, servers: Vec<DhcpServer>) -> Self {
        let mut prng = Prng::new(seed);
        let mut all = Vec::new();
        for index in 0..clients {
            let hardware_address = [2, 0, 0, 0, 1, index as u8];
            let identity = Identity::new(hardware_address, [2, 0, 0, 0, 1, 0], index as u32, "sim");
            all.push(Client::new(identity, prng.next_u64()));
        }
        let mut link = Self {
            now: Instant::from_nanos(1),
            prng,
            checkers: all.iter().map(|_| Checker::default()).collect(),
            clients: all,
            servers,
            stations: Vec::new(),
            loss_one_in: 0,
            twice_one_in: 0,
            queue: BTreeMap::new(),
            events: 0,
        };
        for index in 0..clients {
            link.input(index, Input::Start { remembered: None });
            link.input(index, Input::LinkUp);
        }
        link
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// Gives an input to a client and sees to what it wants.
    pub fn input(&mut self, index: usize, input: Input<'_>) {
        let mut out = Outputs::new();
        self.clients[index].step(self.now, input, &mut out);
        assert_eq!(out.refused(), 0, "a step had more to say than fits");
        while let Some(output) = out.pop() {
            self.checkers[index].on_output(self.now, &output);
            self.carry_out(index, output);
        }
        let lease = self.clients[index].view().lease;
        self.checkers[index].on_step_done(self.now, lease);
    }

    /// A station appears with an address and tells so.
    pub fn add_station(&mut self, number: u8, address: Ipv4Addr) {
        let hardware_address = [2, 0, 0, 0, 2, number];
        self.stations.push(Station {
            hardware_address,
            address,
        });
        self.arp(hardware_address, address, address);
    }

    pub fn remove_stations(&mut self) {
        self.stations.clear();
    }

    /// The station says again that the address is its own.
    pub fn claim(&mut self, address: Ipv4Addr) {
        let stations = self.stations.clone();
        for station in stations.iter().filter(|station| station.address == address) {
            self.arp(station.hardware_address, address, address);
        }
    }

    pub fn run_for(&mut self, span: Duration) {
        self.run_until(span, |_| false);
    }

    /// Runs until `is_reached` or the span has passed; says which.
    pub fn run_until(&mut self, span: Duration, mut is_reached: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + span;
        while !is_reached(self) {
            let Some(next) = self.next_event().filter(|next| *next <= end) else {
                self.now = end;
                return is_reached(self);
            };
            self.now = self.now.max(next);
            self.happen();
        }
        true
    }

    pub fn is_bound(&self, index: usize) -> bool {
        self.clients[index].view().state == "bound"
    }

    fn next_event(&self) -> Option<Instant> {
        let queued = self.queue.keys().next().map(|(at, _)| *at);
        let deadlines = self.clients.iter().filter_map(Client::next_deadline);
        deadlines.chain(queued).min()
    }

    /// Timers first, then one thing that arrives.
    fn happen(&mut self) {
        for index in 0..self.clients.len() {
            let deadline = self.clients[index].next_deadline();
            if deadline.is_some_and(|at| at <= self.now) {
                self.input(index, Input::Timer);
            }
        }
        let now = self.now;
        let due = self
            .queue
            .first_entry()
            .filter(|entry| entry.key().0 <= now);
        let Some(event) = due.map(|entry| entry.remove()) else {
            return;
        };
        match event {
            Event::Asked { bytes, destination } => self.ask_servers(&bytes, destination),
            Event::Answered { bytes, sender, to } => self.answer(&bytes, sender, to),
            Event::Arp {
                sender_mac,
                sender_ip,
                target_ip,
            } => self.spread_arp(sender_mac, sender_ip, target_ip),
        }
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.events += 1;
        self.queue.insert((self.now + after, self.events), event);
    }

    fn is_lost(&mut self) -> bool {
        self.loss_one_in > 0 && self.prng.one_in(self.loss_one_in)
    }

    fn carry_out(&mut self, index: usize, output: Output) {
        let own = self.clients[index].view().identity.hardware_address;
        match output {
            Output::SendDatagram {
                destination, repr, ..
            } => self.send(&repr, destination),
            Output::ArpProbe { address } => self.arp(own, Ipv4Addr::UNSPECIFIED, address),
            Output::ArpAnnounce { address } => self.arp(own, address, address),
            _ => {}
        }
    }

    fn send(&mut self, repr: &Repr, destination: Ipv4Addr) {
        let mut bytes = vec![0xa5; rayos_kernel::net::dhcp::CLIENT_MESSAGE_BYTES_MAX];
        let length = repr.emit(&mut bytes);
        let length = length.unwrap_or_else(|_| panic!("{:?} does not fit", repr.kind));
        bytes.truncate(length);
        if !self.is_lost() {
            self.schedule(TRAVEL, Event::Asked { bytes, destination });
        }
    }

    fn arp(&mut self, sender_mac: [u8; 6], sender_ip: Ipv4Addr, target_ip: Ipv4Addr) {
        let event = Event::Arp {
            sender_mac,
            sender_ip,
            target_ip,
        };
        self.schedule(TRAVEL, event);
    }

    fn ask_servers(&mut self, bytes: &[u8], destination: Ipv4Addr) {
        for index in 0..self.servers.len() {
            let server = &mut self.servers[index];
            let is_broadcast = destination.is_broadcast();
            if !is_broadcast && destination != server.address {
                continue;
            }
            let sender = Sender {
                hardware_address: server.hardware_address,
                address: server.address,
            };
            if let Some(answer) = server.receive(self.now, bytes, is_broadcast) {
                self.deliver(answer, sender);
            }
        }
    }

    fn deliver(&mut self, answer: Answer, sender: Sender) {
        let times = match self.twice_one_in > 0 && self.prng.one_in(self.twice_one_in) {
            true => 2,
            false => 1,
        };
        for _ in 0..times {
            if self.is_lost() {
                continue;
            }
            let event = Event::Answered {
                bytes: answer.message.clone(),
                sender,
                to: answer.to,
            };
            self.schedule(answer.after, event);
        }
    }

    fn answer(&mut self, bytes: &[u8], sender: Sender, to: Option<[u8; 6]>) {
        for index in 0..self.clients.len() {
            let own = self.clients[index].view().identity.hardware_address;
            if to.is_none_or(|to| to == own) {
                self.input(index, Input::Datagram { bytes, sender });
            }
        }
    }

    /// To all stations, the one that has sent it included, as some switches do.
    fn spread_arp(&mut self, sender_mac: [u8; 6], sender_ip: Ipv4Addr, target_ip: Ipv4Addr) {
        for index in 0..self.clients.len() {
            if self.clients[index].view().identity.hardware_address != sender_mac {
                self.checkers[index].on_contradiction(sender_ip);
            }
            self.input(
                index,
                Input::ArpSeen {
                    sender_mac,
                    sender_ip,
                    target_ip,
                },
            );
        }
        let stations = self.stations.clone();
        for station in stations {
            let is_asked = station.address == target_ip && sender_mac != station.hardware_address;
            if is_asked && sender_ip != target_ip {
                self.arp(station.hardware_address, station.address, sender_ip);
            }
        }
    }
}
