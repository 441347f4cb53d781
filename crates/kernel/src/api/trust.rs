//! Who may look without a token: whoever is on the machine that runs this one.

use crate::base::fixed::Vec;
use core::net::IpAddr;

/// Addresses trusted at the same time: those of QEMU's host for IPv4 and IPv6, some ports.
const HOSTS_MAX: usize = 4;

/// Peers that may look at everything without showing a token.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    hosts: Vec<IpAddr, HOSTS_MAX>,
}

impl Trust {
    pub fn clear(&mut self) {
        self.hosts.clear();
    }

    /// Trusts a gateway that `is_user_network_host` says to be QEMU itself.
    pub fn add(&mut self, gateway: IpAddr) {
        if !self.hosts.contains(&gateway) {
            // One more than there are ports is not trusted; its user can show a token.
            let _ = self.hosts.push(gateway);
        }
    }

    pub fn contains(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.hosts.contains(&peer)
    }
}

/// Is a gateway the inside of QEMU's user-mode network? Its forwarded connections come
/// from the host's loopback interface, and all of them from the gateway's address.
///
/// That network makes the hardware address of its host from the IPv4 address: 52:55 and
/// its four bytes; 52:56:00:00:00 and the last byte for IPv6.
pub fn is_user_network_host(gateway: IpAddr, hardware: [u8; 6]) -> bool {
    match gateway {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            hardware == [0x52, 0x55, a, b, c, d]
        }
        IpAddr::V6(address) => {
            let last = address.octets()[15];
            hardware == [0x52, 0x56, 0, 0, 0, last]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn only_qemu_and_the_machine_itself_are_trusted() {
        let gateway = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
        assert!(is_user_network_host(gateway, [0x52, 0x55, 10, 0, 2, 2]));
        assert!(!is_user_network_host(
            gateway,
            [0x52, 0x54, 0, 0x12, 0x34, 0x56]
        ));
        assert!(!is_user_network_host(gateway, [0x52, 0x55, 10, 0, 2, 3]));
        let gateway6 = IpAddr::V6(Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 2));
        assert!(is_user_network_host(gateway6, [0x52, 0x56, 0, 0, 0, 2]));
        let mut trust = Trust::default();
        assert!(!trust.contains(gateway));
        assert!(trust.contains(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        trust.add(gateway);
        assert!(trust.contains(gateway) && !trust.contains(gateway6));
        trust.clear();
        assert!(!trust.contains(gateway));
    }
}
