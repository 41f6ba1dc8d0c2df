//! Calls that wait because their service takes one at a time from each connection.

use std::collections::{HashMap, VecDeque};

use crate::{
    rpc::Lane,
    wire::{Request, RequestId},
};

/// The lanes in which a call runs, with the calls that wait for it.
#[derive(Default)]
pub(super) struct Lanes {
    busy: HashMap<Lane, VecDeque<(RequestId, Request)>>,
    waiting: usize,
}

impl Lanes {
    /// Gives `request` back when it may begin; else keeps it until its turn.
    pub(super) fn enter(&mut self, lane: Option<Lane>, id: &RequestId, request: Request) -> Option<Request> {
        let Some(lane) = lane else { return Some(request) };
        match self.busy.get_mut(&lane) {
            Some(queue) => {
                queue.push_back((id.clone(), request));
                self.waiting += 1;
                None
            }
            None => {
                self.busy.insert(lane, VecDeque::new());
                Some(request)
            }
        }
    }

    /// The call in `lane` is answered: whose turn is it?
    pub(super) fn free(&mut self, lane: Lane) -> Option<(RequestId, Request)> {
        let next = self.busy.get_mut(&lane)?.pop_front();
        match next {
            Some(_) => self.waiting -= 1,
            None => drop(self.busy.remove(&lane)),
        }
        next
    }

    /// How many calls wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }
}
