//! The HTTP server with its service, as the kernel runs them.

use super::ports::MachinePorts;
use super::{Kernel, Machine};
use crate::api::{Api, Denied, is_user_network_host};
use crate::base::asker::Asker;
use crate::base::console::Console;
use crate::base::log::Level;
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::time::{Duration, Instant};
use crate::base::token::Token;
use crate::limits::{CONSOLES_MAX, HTTP_CONNECTIONS_MAX};
use crate::net::http::{ApiView, RequestRecord, Server};
use crate::net::network::Network;
use crate::net::stream::{ServicePorts, Streams};
use core::net::IpAddr;

pub const HTTP_PORT: u16 = 80;
/// How often it is looked who the gateways are when no neighbour has said anything.
const TRUST_PERIOD: Duration = Duration::from_millis(100);

pub struct Web {
    server: Server,
    api: Api,
    ports: ServicePorts,
    is_open: bool,
    trust_at: Instant,
    /// What the neighbours had said by then: the first request comes right behind the
    /// gateway's hardware address.
    trust_news: u64,
}

impl Web {
    pub fn new(token: Option<Token>) -> Self {
        Self {
            server: Server::new(HTTP_PORT),
            api: Api::new(token),
            ports: ServicePorts::default(),
            is_open: false,
            trust_at: Instant::ZERO,
            trust_news: 0,
        }
    }

    /// Listens, once; says why if it cannot.
    fn open(&mut self, network: &mut Network) -> Result<(), &'static str> {
        if self.is_open {
            return Ok(());
        }
        self.is_open = true;
        network.open_service(&mut self.ports, HTTP_PORT, HTTP_CONNECTIONS_MAX)
    }

    /// Looks anew who may look without a token.
    fn renew_trust(&mut self, now: Instant, network: &Network) {
        let news = network.neighbour_news();
        if now < self.trust_at && news == self.trust_news {
            return;
        }
        self.trust_news = news;
        self.trust_at = now + TRUST_PERIOD;
        let trust = self.api.trust_mut();
        trust.clear();
        network.visit_gateways(&mut |gateway, hardware| {
            if is_user_network_host(gateway, hardware) {
                trust.add(gateway);
            }
        });
    }

    /// Takes requests to the workers, and answers to the clients.
    fn step(&mut self, now: Instant, streams: &mut dyn Streams) {
        self.api.on_time(now);
        self.server.step(now, streams, &mut self.api);
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [self.server.next_deadline(now), self.api.next_deadline(now)];
        deadlines.into_iter().flatten().min()
    }

    pub fn console(&mut self, worker: usize) -> Option<&mut dyn Console> {
        self.api.console(worker)
    }

    /// Whose commands a session runs.
    pub fn asker(&self, session: usize) -> Asker {
        match Subject::console(session) {
            Some(subject) => Asker::new(subject),
            None => self.api.asker(session - CONSOLES_MAX),
        }
    }

    /// A request that was not let in, once, and who sent it.
    pub fn take_denial(&mut self) -> Option<(IpAddr, Denied)> {
        self.api.take_denial()
    }

    pub fn on_session_left(&mut self, session: usize) {
        if let Some(worker) = session.checked_sub(CONSOLES_MAX) {
            self.api.on_session_left(worker);
        }
    }

    pub fn view(&self) -> ApiView {
        ApiView {
            server: self.server.view(),
            counters: self.api.counters(),
            workers_busy: self.api.workers_busy(),
            has_token: self.api.has_token(),
        }
    }

    pub fn visit_requests(&self, visit: &mut dyn FnMut(&RequestRecord)) {
        self.server.records().for_each(visit);
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(&self.server.usage());
        self.api.visit_usages(visit);
    }
}

impl<M: Machine> Kernel<M> {
    /// Goes on with everything that the kernel serves to, or fetches from, the network.
    pub(super) fn serve(&mut self) {
        let now = self.machine.now();
        if self.is_listening()
            && let Err(reason) = self.web.open(&mut self.network)
        {
            let log = self.machine.log();
            log.write(now, Level::Error, "http", format_args!("{reason}"));
        }
        self.web.renew_trust(now, &self.network);
        let servers = &self.machine.boot().config.dns;
        let servers = self.network.name_servers(servers);
        let (web, outbound) = (&mut self.web, &mut self.outbound);
        let files = &mut *self.storage.files;
        let services = web.ports.clone();
        let ports = &mut MachinePorts(&mut self.machine);
        let around: (&mut dyn crate::net::ports::Ports, _) = (ports, &mut self.handlers);
        let network = &mut self.network;
        network.with_sockets(now, around, &services, |streams, datagrams| {
            outbound.step(now, &servers, (datagrams, streams), files);
            web.step(now, streams);
        });
    }

    /// A request's line goes to its session in the tick in which it has come.
    pub(super) fn type_request(&mut self, session: usize) {
        if let Some(worker) = session.checked_sub(CONSOLES_MAX)
            && let Some(console) = self.web.console(worker)
        {
            self.sessions[session].receive(console);
        }
    }
}
