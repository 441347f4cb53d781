//! Which paths carry less than their first link (RFC 1191, RFC 8201).

use crate::base::metric::Usage;
use crate::base::time::{Duration, Instant};
use crate::limits::PATH_MTUS_MAX;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Afterwards larger packets are tried again (RFC 1191 6.3).
const BELIEVED_FOR: Duration = Duration::from_secs(600);
/// Nobody can make us send smaller packets than these (RFC 1191 3, RFC 8200 5).
const IPV4_LEAST: usize = 576;
const IPV6_LEAST: usize = 1280;

#[derive(Debug)]
struct Path {
    to: IpAddr,
    mtu: usize,
    until: Instant,
}

#[derive(Debug)]
pub struct PathMtus {
    /// In the order in which they were told; the oldest makes room.
    paths: Vec<Path>,
}

impl PathMtus {
    /// Takes all the memory that it will ever use.
    pub fn new() -> Self {
        Self {
            paths: Vec::with_capacity(PATH_MTUS_MAX),
        }
    }

    /// A router says what its next link carries; an answer says what we believe.
    pub fn on_too_big(&mut self, now: Instant, to: IpAddr, told: usize) -> usize {
        let least = match to {
            IpAddr::V4(_) => IPV4_LEAST,
            IpAddr::V6(_) => IPV6_LEAST,
        };
        let mtu = told.max(least);
        let until = now + BELIEVED_FOR;
        let mut paths = self.paths.iter_mut();
        if let Some(path) = paths.find(|path| path.to == to) {
            // Only downwards: a forged message must not undo a true one.
            path.mtu = path.mtu.min(mtu);
            path.until = until;
            return path.mtu;
        }
        if self.paths.len() == PATH_MTUS_MAX {
            self.paths.remove(0);
        }
        self.paths.push(Path { to, mtu, until });
        mtu
    }

    pub fn get(&self, now: Instant, to: IpAddr) -> Option<usize> {
        let path = self.paths.iter().find(|path| path.to == to)?;
        (now < path.until).then_some(path.mtu)
    }

    pub fn usage(&self) -> Usage {
        Usage::of("PATH_MTUS_MAX", PATH_MTUS_MAX)
            .used(self.paths.len() as u64)
            .ring()
    }
}

impl Default for PathMtus {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_believed_for_a_while_and_only_downwards() {
        let mut paths = PathMtus::default();
        let (now, to) = (Instant::ZERO, "192.0.2.1".parse().unwrap());
        assert_eq!(paths.on_too_big(now, to, 1400), 1400);
        assert_eq!(paths.on_too_big(now, to, 1450), 1400);
        assert_eq!(paths.on_too_big(now, to, 0), IPV4_LEAST);
        assert_eq!(paths.get(now, to), Some(IPV4_LEAST));
        assert_eq!(paths.get(now + BELIEVED_FOR, to), None);
        for host in 0..200 {
            paths.on_too_big(now, [192, 0, 3, host].into(), 1000);
        }
        assert_eq!(paths.get(now, [192, 0, 3, 199].into()), Some(1000));
        assert_eq!(paths.get(now, to), None);
    }
}
