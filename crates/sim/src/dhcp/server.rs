//! A DHCP server as RFC 2131 wants it; a `Fault` makes it something else.

use super::faults::Fault;
use rayos_kernel::base::prng::Prng;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::net::dhcp::{Flaws, MessageType, Repr};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Its network is 10.1.0.0/24.
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
/// What it answers with at the least.
const ANSWER_TIME: Duration = Duration::from_millis(2);

pub struct DhcpServer {
    pub hardware_address: [u8; 6],
    pub address: Ipv4Addr,
    pub fault: Option<Fault>,
    pub lease_seconds: u32,
    /// The last octets that it may give away.
    pool: std::ops::Range<u8>,
    bindings: BTreeMap<Vec<u8>, Binding>,
    declined: BTreeSet<Ipv4Addr>,
    /// What it has received, in order.
    pub received: Vec<MessageType>,
    prng: Prng,
}

/// What a client was given, or only offered.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    pub address: Ipv4Addr,
    /// `None` for an offer that nobody has asked for yet.
    pub until: Option<Instant>,
}

type Binding = Offered;

/// A message on its way to a client.
pub struct Answer {
    pub after: Duration,
    pub message: Vec<u8>,
    /// The frame's destination; `None` for all stations.
    pub to: Option<[u8; 6]>,
}

impl DhcpServer {
    /// Server `number` is 10.1.0.`number` and gives away addresses of its own.
    pub fn new(number: u8, seed: u64) -> Self {
        Self {
            hardware_address: [0x02, 0xd0, 0, 0, 0, number],
            address: Ipv4Addr::new(10, 1, 0, number),
            fault: None,
            lease_seconds: 3600,
            pool: number * 20..number * 20 + 20,
            bindings: BTreeMap::new(),
            declined: BTreeSet::new(),
            received: Vec::new(),
            prng: Prng::new(seed),
        }
    }

    /// The binding of the client with that identifier.
    pub fn binding(&self, client_id: &[u8]) -> Option<Offered> {
        self.bindings.get(client_id).copied()
    }

    /// Forgets all clients, as a server that lost its disk.
    pub fn forget(&mut self) {
        self.bindings.clear();
    }

    /// What it says to a message; `is_broadcast` as the message came.
    pub fn receive(&mut self, now: Instant, bytes: &[u8], is_broadcast: bool) -> Option<Answer> {
        let request = Repr::parse(bytes, &mut Flaws::default()).ok()?;
        if request.kind.is_of_server() {
            return None;
        }
        self.received.push(request.kind);
        let is_renewal = request.kind == MessageType::Request && !is_broadcast;
        match self.fault {
            Some(Fault::Silent) => return None,
            Some(Fault::IgnoresRenewals) if is_renewal => return None,
            _ => {}
        }
        let mut reply = match request.kind {
            MessageType::Discover => self.offer(now, &request)?,
            MessageType::Request => self.acknowledge(now, &request)?,
            MessageType::Inform => self.describe(MessageType::Ack, &request),
            MessageType::Decline => {
                self.bindings.remove(&request.client_id[..]);
                self.declined.extend(request.requested_address);
                return None;
            }
            MessageType::Release => {
                self.bindings.remove(&request.client_id[..]);
                return None;
            }
            _ => return None,
        };
        self.send(&request, &mut reply)
    }

    fn send(&mut self, request: &Repr, reply: &mut Repr) -> Option<Answer> {
        let mut message = vec![0; 1024];
        let mut after = ANSWER_TIME;
        if let Some(fault) = self.fault {
            fault.bend(reply);
            if let Fault::Slow(late) = fault {
                after = late;
            }
        }
        let length = reply.emit(&mut message).ok()?;
        message.truncate(length);
        if let Some(fault) = self.fault {
            fault.spoil(&mut message, &mut self.prng);
        }
        let is_to_all = request.is_broadcast || reply.kind == MessageType::Nak;
        let to = (!is_to_all).then_some(request.hardware_address);
        Some(Answer { after, message, to })
    }

    fn offer(&mut self, now: Instant, request: &Repr) -> Option<Repr> {
        let address = self.pick(now, request)?;
        let known = self.bindings.get(&request.client_id[..]);
        let until = known.and_then(|known| known.until);
        self.bindings
            .insert(request.client_id.to_vec(), Binding { address, until });
        Some(self.lease(MessageType::Offer, request, address))
    }

    fn acknowledge(&mut self, now: Instant, request: &Repr) -> Option<Repr> {
        if request.server.is_some_and(|server| server != self.address) {
            // It has chosen another server.
            self.bindings.remove(&request.client_id[..]);
            return None;
        }
        let is_selecting = request.server.is_some();
        let is_known = self.bindings.contains_key(&request.client_id[..]);
        let wanted = request.requested_address.unwrap_or(request.client_address);
        match self.fault {
            Some(Fault::OffersOnly) => return None,
            Some(Fault::NakStorm) => return Some(self.refuse(request)),
            _ => {}
        }
        if !is_known
            && !is_selecting
            && self.is_mine(wanted)
            && !self.is_taken(now, wanted, request)
        {
            // What it has forgotten it gives again.
            let (address, until) = (wanted, None);
            self.bindings
                .insert(request.client_id.to_vec(), Binding { address, until });
        }
        let Some(binding) = self.bindings.get(&request.client_id[..]) else {
            // Of another server, perhaps: RFC 2131 4.3.2 wants silence.
            return match self.is_mine(wanted) {
                true => Some(self.refuse(request)),
                false => None,
            };
        };
        let mut address = binding.address;
        if address != wanted {
            return Some(self.refuse(request));
        }
        if self.fault == Some(Fault::ChangesItsMind) && is_selecting {
            self.bindings.remove(&request.client_id[..]);
            address = self.free(now, request, Some(wanted))?;
        }
        let until = Some(now + Duration::from_secs(self.lease_seconds.into()));
        self.bindings
            .insert(request.client_id.to_vec(), Binding { address, until });
        Some(self.lease(MessageType::Ack, request, address))
    }

    fn lease(&self, kind: MessageType, request: &Repr, address: Ipv4Addr) -> Repr {
        Repr {
            your_address: address,
            lease_seconds: Some(self.lease_seconds),
            ..self.describe(kind, request)
        }
    }

    fn describe(&self, kind: MessageType, request: &Repr) -> Repr {
        let mut repr = Repr::new(kind, request.transaction, request.hardware_address);
        repr.server = Some(self.address);
        repr.is_broadcast = request.is_broadcast;
        repr.parameters.subnet_mask = Some(MASK);
        let lists = [
            &mut repr.parameters.routers,
            &mut repr.parameters.name_servers,
        ];
        for list in lists {
            let kept = list.push(self.address);
            assert!(kept.is_ok(), "an empty list has room");
        }
        repr.parameters.domain_name.push_cut("sim.test");
        repr
    }

    fn refuse(&self, request: &Repr) -> Repr {
        let mut repr = Repr::new(
            MessageType::Nak,
            request.transaction,
            request.hardware_address,
        );
        repr.server = Some(self.address);
        repr
    }

    /// The client's address of before, the one it wants, or a free one.
    fn pick(&mut self, now: Instant, request: &Repr) -> Option<Ipv4Addr> {
        if let Some(binding) = self.bindings.get(&request.client_id[..]) {
            return Some(binding.address);
        }
        let wanted = request
            .requested_address
            .filter(|wanted| self.is_mine(*wanted));
        wanted
            .filter(|wanted| !self.is_taken(now, *wanted, request))
            .or_else(|| self.free(now, request, None))
    }

    fn free(&self, now: Instant, request: &Repr, but: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        let mut addresses = self.pool.clone().map(|last| Ipv4Addr::new(10, 1, 0, last));
        addresses.find(|address| Some(*address) != but && !self.is_taken(now, *address, request))
    }

    fn is_mine(&self, address: Ipv4Addr) -> bool {
        let [a, b, c, last] = address.octets();
        [a, b, c] == [10, 1, 0] && self.pool.contains(&last)
    }

    fn is_taken(&self, now: Instant, address: Ipv4Addr, request: &Repr) -> bool {
        let is_of_other = self.bindings.iter().any(|(client, binding)| {
            let is_over = binding.until.is_some_and(|until| until <= now);
            binding.address == address && !is_over && client[..] != request.client_id[..]
        });
        is_of_other || self.declined.contains(&address)
    }
}
