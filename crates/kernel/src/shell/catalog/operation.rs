//! What commands start that outlasts a tick.

use crate::base::time::Duration;
use crate::net::http::Url;
use crate::net::outbound::{FETCH_LIMIT, Wish};
use crate::net::ping::PingRequest;
use crate::resilience::chronicle;
use crate::security::audit::VERIFY_LIMIT;
use crate::security::bench;
use crate::security::measured::request::{self as measured, Wish as TpmWish};
use crate::storage::io::bench as comparison;
use crate::storage::{Errand, errand, files, layout, measure, volumes};
use alloc::boxed::Box;

/// One variant a subsystem: plain data, with all that it must know to start. Texts
/// stand in a `Box<str>`, for every session has room for one of these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    Disk(Errand),
    File(files::Wish),
    /// What an address names becomes a file.
    Save {
        url: Box<Url>,
        file: files::Wish,
    },
    Layout(layout::Wish),
    MeasureDisk(measure::Wish),
    CompareSchedulers(comparison::Wish),
    Volume(Box<volumes::Wish>),
    Ping(PingRequest),
    Outbound(Wish),
    Tpm(TpmWish),
    SecurityBench,
    VerifyAudit,
    /// Of what is kept beyond a boot.
    Chronicle(chronicle::Wish),
}

impl Operation {
    /// Is its answer a text whose lines are to be run?
    pub const fn is_script(&self) -> bool {
        match self {
            Self::File(wish) => matches!(wish.act, files::Act::Script),
            _ => false,
        }
    }

    /// How long its answer is waited for.
    pub const fn limit(&self) -> Duration {
        match self {
            Self::Disk(_) => errand::LIMIT,
            Self::File(_) => files::LIMIT,
            Self::Save { .. } => FETCH_LIMIT,
            Self::Layout(_) => layout::Wish::LIMIT,
            Self::MeasureDisk(_) => measure::LIMIT,
            Self::CompareSchedulers(_) => comparison::LIMIT,
            Self::Volume(_) => volumes::errands::LIMIT,
            Self::Ping(request) => request.limit(),
            Self::Outbound(wish) => wish.limit(),
            Self::Tpm(_) => measured::LIMIT,
            Self::SecurityBench => bench::LIMIT,
            Self::VerifyAudit => VERIFY_LIMIT,
            Self::Chronicle(_) => chronicle::LIMIT,
        }
    }
}
