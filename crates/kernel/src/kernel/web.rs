//! The HTTP server with its service, as the kernel runs them.

use crate::api::Api;
use crate::base::capability::Capability;
use crate::base::console::Console;
use crate::base::metric::Usage;
use crate::base::time::Instant;
use crate::base::token::Token;
use crate::limits::CONSOLES_MAX;
use crate::net::http::{ApiView, RequestRecord, Server};
use crate::net::stream::Streams;

pub const HTTP_PORT: u16 = 80;

pub struct Web {
    server: Server,
    api: Api,
}

impl Web {
    pub fn new(token: Option<Token>) -> Self {
        Self {
            server: Server::new(HTTP_PORT),
            api: Api::new(token),
        }
    }

    /// Takes requests to the workers, and answers to the clients.
    pub fn step(&mut self, now: Instant, streams: &mut dyn Streams) {
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

    /// What the commands of a session may do.
    pub fn authority(&self, session: usize) -> Capability {
        match session.checked_sub(CONSOLES_MAX) {
            // Whoever sits at a console may do everything.
            None => Capability::Administer,
            Some(worker) => self.api.authority(worker),
        }
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
