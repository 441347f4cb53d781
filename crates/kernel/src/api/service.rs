//! The service: judges a request, gives its command to a worker, and answers.
//!
//! Limits: `API_WORKERS_MAX` commands at a time; more requests wait for a worker.

use super::credentials::{Credentials, Denied, Wanted};
use super::line::{self, Line};
use super::offenders::household;
use super::origin::{self, Foreign};
use super::route::{self, Route};
use super::trust::Trust;
use super::worker::{End, Worker};
use crate::base::asker::Asker;
use crate::base::console::Console;
use crate::base::fixed::Queue;
use crate::base::metric::Usage;
use crate::base::subject::Subject;
use crate::base::time::Instant;
use crate::base::token::Token;
use crate::base::verdict::Verdict;
use crate::limits::{API_DENIALS_MAX, API_WORKERS_MAX};
use crate::net::http::{
    Answer, AnswerHead, ApiCounters, FOR_NOW, JSON, Job, Method, Reply, Request, Response, Service,
    Status,
};
use alloc::vec::Vec;
use core::net::IpAddr;

const NO_TOKEN: &str =
    "no token is set; boot with token=SECRET on the command line to allow this by HTTP";
const TOKEN_MISSING: &str =
    "this needs the token of the kernel's command line; send Authorization: Bearer TOKEN";
const TOKEN_WRONG: &str = "the token is not that of the kernel's command line";
const SHUT_OUT: &str =
    "too many wrong tokens came from this address; wait as long as Retry-After says";
const FOREIGN_HOST: &str =
    "this request was meant for another host; use an address, localhost or a name without a dot";
const FOREIGN_ORIGIN: &str = "a page of another site made this request";
const WANTS_TOKEN: &str = concat!(
    "WWW-Authenticate: Bearer realm=\"rayos\"\r\n",
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
);
const TIMED_OUT: &[u8] =
    b"{\"command\":\"\",\"ok\":false,\"error\":\"the command took too long and was given up\"}\n";

pub struct Api {
    credentials: Credentials,
    workers: Vec<Worker>,
    high_water: usize,
    counters: ApiCounters,
    /// Those that nobody was told of yet.
    denials: Queue<(IpAddr, Denied), API_DENIALS_MAX>,
    denials_lost: u64,
}

impl Api {
    /// Takes all the memory that it will ever use.
    pub fn new(token: Option<Token>) -> Self {
        let mut workers = Vec::with_capacity(API_WORKERS_MAX);
        workers.resize_with(API_WORKERS_MAX, Worker::new);
        Self {
            credentials: Credentials::new(token),
            workers,
            high_water: 0,
            counters: ApiCounters::default(),
            denials: Queue::new(),
            denials_lost: 0,
        }
    }

    /// What the session of a worker sits on; none while it is to forget what it does.
    pub fn console(&mut self, worker: usize) -> Option<&mut dyn Console> {
        let worker = self.workers.get_mut(worker)?;
        match worker.is_away() {
            true => None,
            false => Some(worker),
        }
    }

    /// Whose command the next line of the worker's session is.
    pub fn asker(&self, worker: usize) -> Asker {
        let worker = self.workers.get(worker);
        worker.map_or(Asker::looking(Subject::Visitor), Worker::asker)
    }

    /// The session of the worker has forgotten what it did.
    pub fn on_session_left(&mut self, worker: usize) {
        if let Some(worker) = self.workers.get_mut(worker)
            && worker.is_away()
        {
            worker.on_left();
        }
    }

    /// Who may look without a token.
    pub const fn trust_mut(&mut self) -> &mut Trust {
        &mut self.credentials.trust
    }

    /// Ends commands that take too long.
    pub fn on_time(&mut self, now: Instant) {
        for worker in &mut self.workers {
            self.counters.timed_out += u64::from(worker.on_time(now, TIMED_OUT));
        }
    }

    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let workers = self.workers.iter();
        workers.filter_map(|worker| worker.next_deadline(now)).min()
    }

    pub const fn counters(&self) -> ApiCounters {
        self.counters
    }

    /// A request that was not let in, once, and who sent it.
    pub fn take_denial(&mut self) -> Option<(IpAddr, Denied)> {
        self.denials.pop()
    }

    pub const fn has_token(&self) -> bool {
        self.credentials.has_token()
    }

    pub fn workers_busy(&self) -> usize {
        self.workers
            .iter()
            .filter(|worker| worker.is_busy())
            .count()
    }

    pub fn visit_usages(&self, visit: &mut dyn FnMut(&Usage)) {
        visit(
            &Usage::of("API_WORKERS_MAX", API_WORKERS_MAX)
                .used(self.workers_busy() as u64)
                .high_water(self.high_water as u64),
        );
        visit(&self.credentials.offenders().usage());
        visit(
            &Usage::of("API_DENIALS_MAX", API_DENIALS_MAX)
                .used(self.denials.len() as u64)
                .refused(self.denials_lost),
        );
    }

    /// Would somebody who is refused something be known by a token?
    fn would_token_help(&self, subject: Subject) -> bool {
        subject == Subject::Visitor && self.has_token()
    }

    fn check_origin(&mut self, request: &Request<'_>) -> Result<(), Response> {
        origin::check(request).map_err(|foreign| {
            self.counters.foreign += 1;
            match foreign {
                Foreign::Host => Response::error(Status::MISDIRECTED, FOREIGN_HOST),
                Foreign::Origin => Response::error(Status::FORBIDDEN, FOREIGN_ORIGIN),
            }
        })
    }

    fn check_credentials(
        &mut self,
        now: Instant,
        request: &Request<'_>,
        wanted: Wanted,
    ) -> Result<Subject, Response> {
        let shown = request.head.authorization;
        let judged = self.credentials.judge(now, request.peer, shown, wanted);
        judged.map_err(|denied| {
            // As one address, or who has many fills the trail with as many entries.
            if self
                .denials
                .push((household(request.peer), denied))
                .is_err()
            {
                self.denials_lost += 1;
            }
            self.denial(denied)
        })
    }

    fn denial(&mut self, denied: Denied) -> Response {
        let counter = match denied {
            Denied::NoToken | Denied::Missing => &mut self.counters.without_token,
            Denied::Wrong => &mut self.counters.wrong_token,
            Denied::ShutOut(_) => &mut self.counters.shut_out,
        };
        *counter += 1;
        match denied {
            Denied::NoToken => Response::error(Status::FORBIDDEN, NO_TOKEN),
            Denied::Missing => Response {
                headers: WANTS_TOKEN,
                ..Response::error(Status::UNAUTHORIZED, TOKEN_MISSING)
            },
            Denied::Wrong => Response {
                headers: concat!(
                    "WWW-Authenticate: Bearer realm=\"rayos\", error=\"invalid_token\"\r\n",
                    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                ),
                ..Response::error(Status::UNAUTHORIZED, TOKEN_WRONG)
            },
            Denied::ShutOut(rest) => Response {
                retry_after_secs: Some(rest.as_millis().div_ceil(1000)),
                ..Response::error(Status::TOO_MANY_REQUESTS, SHUT_OUT)
            },
        }
    }

    fn command(&mut self, now: Instant, path: &str, request: &Request<'_>) -> Reply {
        let is_get = request.head.method != Method::Post;
        let wanted = match is_get {
            // Whatever it shows: a browser follows links without being asked.
            true => Wanted::Look,
            false => Wanted::Change,
        };
        let subject = match self.check_credentials(now, request, wanted) {
            Ok(subject) => subject,
            Err(response) => return Reply::Response(response),
        };
        let asker = match is_get {
            true => Asker::looking(subject),
            false => Asker::new(subject),
        };
        if request.head.query.is_some() {
            let sentence = "a question mark means nothing here; arguments are parts of the path";
            return Reply::Response(Response::error(Status::BAD_REQUEST, sentence));
        }
        match line::build(path, request.body) {
            Ok(line) => self.begin(now, &line, asker),
            Err(bad) => Reply::Response(Response::error(Status::BAD_REQUEST, bad.sentence())),
        }
    }

    fn begin(&mut self, now: Instant, line: &Line, asker: Asker) -> Reply {
        let Some(index) = self.workers.iter().position(Worker::is_free) else {
            return Reply::Wait;
        };
        self.workers[index].begin(now, line, asker);
        self.counters.commands += 1;
        self.high_water = self.high_water.max(self.workers_busy());
        Reply::Job(index)
    }
}

impl Service for Api {
    fn request(&mut self, now: Instant, request: &Request<'_>) -> Reply {
        if let Err(response) = self.check_origin(request) {
            return Reply::Response(response);
        }
        let route = route::find(request.head.path);
        let method = request.head.method;
        let response = match &route {
            Route::Nothing => Response::error(
                Status::NOT_FOUND,
                "there is nothing at this path; the commands are below /api/v1/",
            ),
            route if !route.allows(method) => Response {
                headers: route.allow(),
                ..Response::error(
                    Status::METHOD_NOT_ALLOWED,
                    "use GET to look and POST to change something",
                )
            },
            route if method == Method::Options => Response {
                headers: route.allow(),
                content_type: "",
                body: Default::default(),
                ..Response::error(Status::NO_CONTENT, "")
            },
            Route::Asset(asset) => asset.response(request.head.if_none_match),
            Route::Command(path) => return self.command(now, path, request),
            Route::Server => Response::error(Status::BAD_REQUEST, "only OPTIONS asks for this"),
        };
        Reply::Response(response)
    }

    fn has_room(&self) -> bool {
        self.workers.iter().any(Worker::is_free)
    }

    fn answer(&self, job: Job) -> Answer<'_> {
        let Some(worker) = self.workers.get(job) else {
            return Answer {
                head: None,
                bytes: &[],
                is_whole: true,
            };
        };
        let head = match worker.end() {
            Some(end) => Some(head(end, self.would_token_help(worker.asker().subject))),
            // An error would be whole by now.
            None if worker.is_streaming() => Some(head(End::Verdict(Verdict::Succeeded), false)),
            None => None,
        };
        Answer {
            head,
            bytes: worker.answer(),
            is_whole: worker.is_whole(),
        }
    }

    fn consume(&mut self, job: Job, count: usize) {
        if let Some(worker) = self.workers.get_mut(job) {
            worker.consume(count);
        }
    }

    fn release(&mut self, now: Instant, job: Job) {
        if let Some(worker) = self.workers.get_mut(job) {
            self.counters.abandoned += u64::from(worker.release(now));
        }
    }
}

fn head(end: End, would_token_help: bool) -> AnswerHead {
    let mut headers = FOR_NOW;
    let status = match end {
        End::TimedOut => Status::GATEWAY_TIMEOUT,
        End::Verdict(Verdict::Succeeded) => Status::OK,
        End::Verdict(Verdict::Failed) => Status::CONFLICT,
        End::Verdict(Verdict::Unknown) => Status::NOT_FOUND,
        End::Verdict(Verdict::Malformed) => Status::BAD_REQUEST,
        End::Verdict(Verdict::Forbidden) if would_token_help => {
            headers = WANTS_TOKEN;
            Status::UNAUTHORIZED
        }
        End::Verdict(Verdict::Forbidden) => Status::FORBIDDEN,
        End::Verdict(Verdict::NotALook) => {
            headers = concat!(
                "Allow: POST, OPTIONS\r\n",
                "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
            );
            Status::METHOD_NOT_ALLOWED
        }
    };
    AnswerHead {
        status,
        content_type: JSON,
        headers,
    }
}
