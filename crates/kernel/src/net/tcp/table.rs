//! The slots of the connections; an id of a former life finds nothing.

use super::connection::Connection;
use super::types::ConnectionId;
use alloc::boxed::Box;
use alloc::vec::Vec;

struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

pub struct Table {
    slots: Box<[Slot]>,
    free: Vec<u16>,
    most: usize,
    refused: u64,
}

impl Table {
    pub fn new(connections: usize) -> Self {
        let slots = (0..connections).map(|_| Slot {
            generation: 0,
            connection: None,
        });
        Self {
            slots: slots.collect(),
            free: (0..connections as u16).rev().collect(),
            most: 0,
            refused: 0,
        }
    }

    /// Another one would be refused.
    pub fn is_full(&self) -> bool {
        self.free.is_empty()
    }

    pub const fn count_refusal(&mut self) {
        self.refused += 1;
    }

    pub fn insert(&mut self, connection: Connection) -> Option<u16> {
        let index = self.free.pop()?;
        self.slots[usize::from(index)].connection = Some(connection);
        self.most = self.most.max(self.used());
        Some(index)
    }

    pub fn remove(&mut self, index: u16) -> Option<Connection> {
        let slot = &mut self.slots[usize::from(index)];
        let connection = slot.connection.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index);
        Some(connection)
    }

    pub fn id(&self, index: u16) -> ConnectionId {
        ConnectionId::new(u32::from(index), self.slots[usize::from(index)].generation)
    }

    /// The slot of a connection that still has this id and was not released.
    pub fn index_of(&self, id: ConnectionId) -> Option<u16> {
        let slot = self.slots.get(id.slot())?;
        let is_it = slot.generation == id.generation()
            && slot
                .connection
                .as_ref()
                .is_some_and(|connection| !connection.is_released);
        is_it.then_some(id.slot() as u16)
    }

    pub fn get(&self, index: u16) -> Option<&Connection> {
        self.slots.get(usize::from(index))?.connection.as_ref()
    }

    pub fn get_mut(&mut self, index: u16) -> Option<&mut Connection> {
        self.slots.get_mut(usize::from(index))?.connection.as_mut()
    }

    pub fn of(&self, id: ConnectionId) -> Option<&Connection> {
        self.get(self.index_of(id)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u16, &Connection)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(index, slot)| Some((index as u16, slot.connection.as_ref()?)))
    }

    pub fn used(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub const fn most(&self) -> usize {
        self.most
    }

    pub const fn refused(&self) -> u64 {
        self.refused
    }

    pub fn capacity(&self) -> usize {
        self.slots.len()
    }
}
