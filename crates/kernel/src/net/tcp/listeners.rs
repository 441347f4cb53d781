//! Ports that take connections, each with those that wait to be accepted.

use super::flow::Flow;
use super::types::{ListenerId, TcpError};
use super::view::ListenerView;
use crate::base::fixed::Queue;
use crate::base::tenant::Tenant;
use crate::limits::{TCP_CONNECTIONS_MAX, TCP_LISTENERS_MAX};
use alloc::boxed::Box;
use core::net::IpAddr;

pub struct Listener {
    pub tenant: Tenant,
    pub address: Option<IpAddr>,
    pub port: u16,
    pub backlog: usize,
    pub waiting: Queue<u16, TCP_CONNECTIONS_MAX>,
}

impl Listener {
    pub fn has_room(&self) -> bool {
        self.waiting.len() < self.backlog
    }

    fn takes(&self, flow: &Flow) -> bool {
        self.tenant == flow.tenant
            && self.port == flow.local.port
            && self
                .address
                .is_none_or(|address| address == flow.local.address)
    }
}

struct Slot {
    generation: u32,
    listener: Option<Listener>,
}

pub struct Listeners {
    slots: Box<[Slot]>,
    refused: u64,
}

impl Listeners {
    pub fn new() -> Self {
        let slots = (0..TCP_LISTENERS_MAX).map(|_| Slot {
            generation: 0,
            listener: None,
        });
        Self {
            slots: slots.collect(),
            refused: 0,
        }
    }

    pub fn insert(
        &mut self,
        tenant: Tenant,
        address: Option<IpAddr>,
        port: u16,
        backlog: usize,
    ) -> Result<ListenerId, TcpError> {
        if port == 0 {
            return Err(TcpError::BadEndpoint);
        }
        let is_taken = self.slots.iter().any(|slot| {
            slot.listener.as_ref().is_some_and(|other| {
                other.tenant == tenant && other.port == port && other.address == address
            })
        });
        if is_taken {
            return Err(TcpError::PortInUse);
        }
        let Some(index) = self.slots.iter().position(|slot| slot.listener.is_none()) else {
            self.refused += 1;
            return Err(TcpError::ListenersFull);
        };
        self.slots[index].listener = Some(Listener {
            tenant,
            address,
            port,
            backlog: backlog.clamp(1, TCP_CONNECTIONS_MAX),
            waiting: Queue::new(),
        });
        let generation = self.slots[index].generation;
        Ok(ListenerId::new(index as u32, generation))
    }

    pub fn remove(&mut self, index: u16) -> Option<Listener> {
        let slot = self.slots.get_mut(usize::from(index))?;
        let listener = slot.listener.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        Some(listener)
    }

    pub fn index_of(&self, id: ListenerId) -> Option<u16> {
        let slot = self.slots.get(id.slot())?;
        (slot.generation == id.generation() && slot.listener.is_some()).then_some(id.slot() as u16)
    }

    pub fn get_mut(&mut self, index: u16) -> Option<&mut Listener> {
        self.slots.get_mut(usize::from(index))?.listener.as_mut()
    }

    pub fn get(&self, index: u16) -> Option<&Listener> {
        self.slots.get(usize::from(index))?.listener.as_ref()
    }

    /// Who takes a connection to there; one address goes before all addresses.
    pub fn find(&self, flow: &Flow) -> Option<u16> {
        let mut found = None;
        for (index, slot) in self.slots.iter().enumerate() {
            if let Some(listener) = &slot.listener
                && listener.takes(flow)
                && (found.is_none() || listener.address.is_some())
            {
                found = Some(index as u16);
            }
        }
        found
    }

    pub fn used(&self) -> usize {
        let slots = self.slots.iter();
        slots.filter(|slot| slot.listener.is_some()).count()
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn views(&self) -> impl Iterator<Item = ListenerView> {
        let listeners = self.slots.iter().filter_map(|slot| slot.listener.as_ref());
        listeners.map(|listener| ListenerView {
            tenant: listener.tenant,
            address: listener.address,
            port: listener.port,
            waiting: listener.waiting.len(),
            backlog: listener.backlog,
        })
    }
}
