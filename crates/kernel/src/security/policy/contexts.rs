//! The table of contexts; each keeps its place for as long as it is there.

use super::context::{Context, ContextId};
use crate::base::fixed::Full;
use crate::limits::POLICY_CONTEXTS_MAX;
use alloc::vec::Vec;

pub struct Contexts {
    /// Places that became free again are `None` until the next one comes.
    places: Vec<Option<Context>>,
    used: usize,
}

impl Contexts {
    pub fn new() -> Self {
        Self {
            places: Vec::with_capacity(POLICY_CONTEXTS_MAX),
            used: 0,
        }
    }

    pub const fn used(&self) -> usize {
        self.used
    }

    pub fn places(&self) -> &[Option<Context>] {
        &self.places
    }

    pub fn iter(&self) -> impl Iterator<Item = (ContextId, &Context)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(place, context)| Some((ContextId::at(place), context.as_ref()?)))
    }

    pub fn get(&self, id: ContextId) -> Option<&Context> {
        self.places.get(id.index())?.as_ref()
    }

    pub fn find(&self, name: &str) -> Option<ContextId> {
        let mut all = self.iter();
        all.find(|(_, context)| context.name == *name)
            .map(|(id, _)| id)
    }

    pub fn add(&mut self, context: Context) -> Result<ContextId, Full> {
        let free = self.places.iter().position(Option::is_none);
        let place = free.unwrap_or(self.places.len());
        if place == POLICY_CONTEXTS_MAX {
            return Err(Full);
        }
        if place == self.places.len() {
            self.places.push(None);
        }
        self.places[place] = Some(context);
        self.used += 1;
        Ok(ContextId::at(place))
    }

    pub fn remove(&mut self, id: ContextId) -> Option<Context> {
        let context = self.places.get_mut(id.index())?.take()?;
        self.used -= 1;
        Some(context)
    }
}
