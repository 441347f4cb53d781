//! Who answers requests: the seam between the server and what it serves.

use super::request::Request;
use super::response::Response;
use super::status::Status;
use crate::base::time::Instant;

/// Work that a service does for one request, by a name that the service chose.
pub type Job = usize;

/// What a service says to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    Response(Response),
    /// The answer comes piece by piece; see `Service::answer`.
    Job(Job),
    /// There is no room now; the request is offered again.
    Wait,
}

/// What the header of a job's answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerHead {
    pub status: Status,
    pub content_type: &'static str,
    pub headers: &'static str,
}

/// How far a job's answer has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer<'a> {
    /// `None` until the service knows.
    pub head: Option<AnswerHead>,
    /// The oldest bytes that were not consumed yet.
    pub bytes: &'a [u8],
    /// Nothing comes behind `bytes`.
    pub is_whole: bool,
}

pub trait Service {
    fn request(&mut self, now: Instant, request: &Request<'_>) -> Reply;

    /// Would a request that was told to wait find room now?
    fn has_room(&self) -> bool;

    fn answer(&self, job: Job) -> Answer<'_>;

    fn consume(&mut self, job: Job, count: usize);

    /// Nobody waits for the job any more, finished or not.
    fn release(&mut self, now: Instant, job: Job);
}
