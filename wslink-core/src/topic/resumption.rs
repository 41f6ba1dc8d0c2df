//! The tokens by which clients resume, and the clients that are away.

use std::collections::VecDeque;

use subtle::ConstantTimeEq;

use crate::{Client, ClientId, Principal};

/// The tokens of a client, and the principal that may use them.
pub(super) struct Resumption {
    principal: Principal,
    token: u128,
    /// The token before, until it is certain that the client knows the present one.
    before: Option<u128>,
}

/// The clients that are away, longest first.
#[derive(Default)]
pub(super) struct Away {
    pub(super) since: VecDeque<(ClientId, u32)>,
    pub(super) age: u32,
    /// Whether somebody says when time has passed.
    pub(super) aging: bool,
}

impl Resumption {
    /// A new token, after that of the resumption `before`.
    pub(super) fn new(principal: Principal, token: u128, before: Option<&Self>) -> Self {
        Self { principal, token, before: before.map(|before| before.token) }
    }

    /// The client knows its newest token.
    pub(super) const fn confirm(&mut self) {
        self.before = None;
    }

    /// Keeps the one token that the client is certain to have, until it knows the next one.
    pub(super) fn keep_known(&mut self, knows_newest: bool) {
        let before = self.before.take().filter(|_| !knows_newest);
        self.token = before.unwrap_or(self.token);
    }

    /// Whether `client` may come back with `token`, and knows the answer to its last hello.
    pub(super) fn is_for(&self, token: &str, client: &Client) -> Option<bool> {
        let is = |known: u128| bool::from(format!("{known:032x}").as_bytes().ct_eq(token.as_bytes()));
        if !self.principal.is_like(client.principal()) {
            return None;
        }
        if is(self.token) { Some(true) } else { self.before.is_some_and(is).then_some(false) }
    }
}
