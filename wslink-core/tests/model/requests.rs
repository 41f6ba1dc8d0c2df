//! What the program of a client has its session send, and what becomes of it when the connection is over.

use std::time::Duration;

use wslink_core::{
    session::Lost,
    wire::{Parts, Target},
};

use super::{
    calls::{Call, Outcome},
    client::Client,
    client_end::ClientEnd,
    env::Env,
    hub_clients::Who,
    link::Ms,
    service::{METHODS, Task},
    topics::bytes,
};

impl ClientEnd {
    /// Says hello once more.
    pub(crate) fn hello(&mut self, secret: &str, env: &Env) {
        self.session.hello(secret).unwrap();
        if secret != "wrong" {
            env.ledger.facts().say_hello(self.number, Who::named(secret));
        }
    }

    /// Calls a method with an attachment of so many bytes.
    pub(crate) fn call(
        &mut self,
        client: &Client,
        env: &mut Env,
        method: usize,
        task: &Task,
        uploads: usize,
        timeout: Option<Ms>,
    ) {
        let id = u32::try_from(env.calls.len()).unwrap();
        let hellos = env.ledger.facts().hellos(self.number);
        let task = Task { id, connection: self.number, hellos, lane: METHODS[method].1, ..task.clone() };
        let blob = (uploads > 0).then(|| bytes(uploads));
        let arguments = (&task, blob);
        let draft = client.protocol.draft(Target::Method(METHODS[method].0), Parts { positional: Some(&arguments), named: None });
        // A client of a server without the extension is not told how long its program waits.
        let waits = timeout.filter(|_| !client.stock);
        env.calls.push(Call::new(task, method, waits, uploads));
        match self.session.call(draft.unwrap(), timeout.map(Duration::from_millis)) {
            Ok(number) => assert!(self.calls.insert(number, id).is_none(), "two calls of one number"),
            Err(_) => env.calls[id as usize].end(Outcome::TooLarge),
        }
    }

    /// Nobody waits for call `number` any more.
    pub(crate) fn cancel(&mut self, env: &mut Env, number: u64) {
        self.session.cancel(number);
        let id = self.calls.remove(&number).unwrap();
        env.calls[id as usize].end(Outcome::Cancelled);
    }

    /// The connection is over: what is left goes back to the client.
    pub(crate) fn end(mut self, client: &mut Client, env: &mut Env) {
        let Lost { memory, calls, subscribing } = self.session.into_lost().unwrap();
        for (number, maybe_executed) in calls {
            let id = self.calls.remove(&number).expect("a call that waits");
            env.calls[id as usize].end(Outcome::Lost { maybe_executed });
        }
        assert!(self.calls.is_empty(), "calls {:?} ended without an outcome", self.calls);
        for id in subscribing {
            // The program may have ended it.
            let removed = client.subscriptions.remove(&id);
            assert!(removed.is_none_or(|removed| !removed.confirmed), "a confirmed subscription is lost");
        }
        client.memory = memory;
    }
}
