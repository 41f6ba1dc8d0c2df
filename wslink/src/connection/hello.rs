//! The greeting: who may come in, and what both sides know of the other from then on.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;

use super::{Connection, Extensions, Step, answer, first};
use crate::{
    CallError, ErrorCode, Value,
    topic::Interest,
    wire::{Request, RequestId, Violation, WireVersion},
};

impl Connection {
    /// A good hello opens the connection; a bad one after a good one changes nothing.
    pub(super) fn hello(
        &mut self,
        wire: &'static dyn WireVersion,
        id: &RequestId,
        request: &mut Request,
    ) -> Result<Result<Step, CallError>, Violation> {
        if self.failures >= self.shared.limits.hello_failures {
            return Err(Violation::policy("too many failed hellos"));
        }
        let hello: Option<Value> = first(request);
        let secret = hello.as_ref().and_then(|hello| hello.get("secret")?.as_str());
        if !secret.is_some_and(|secret| self.shared.secret.admits(secret)) {
            self.failures += 1;
            return Ok(Err(CallError::new(ErrorCode::Authentication, "Authentication failed")));
        }
        if !std::mem::replace(&mut self.authenticated, true) {
            self.open(wire, Extensions::asked_for(hello.as_ref(), self.shared.manifest.is_some()));
        }
        Ok(Ok(Step::Reply(answer(wire, id, &self.welcome(wire)))))
    }

    fn open(&mut self, wire: &'static dyn WireVersion, extensions: Extensions) {
        self.extensions = extensions;
        if let Some(speaking) = &mut self.speaking {
            speaking.decoder.authenticated();
        }
        let interest = if extensions.subscribe { Interest::Topics(HashMap::new()) } else { Interest::Everything };
        self.shared.hub.join(self.client.id().clone(), wire, Arc::clone(&self.outbox), interest);
        tracing::debug!(client = %self.client.id(), wire = wire.name(), ?extensions, "said hello");
    }

    /// What a client learns; one of the original protocol learns nothing new.
    fn welcome(&self, wire: &dyn WireVersion) -> Welcome<'_> {
        let limits = &self.shared.limits;
        let negotiated = self.extensions.any();
        Welcome {
            client_id: self.client.id().as_str(),
            max_message: wire.announces_max_message().then(|| limits.best_chunk()),
            extensions: negotiated.then(|| self.extensions.names()),
            limits: negotiated.then(|| AnnouncedLimits {
                // Without chunks, a frame is as large as what is in it.
                frame_bytes: if wire.announces_max_message() { limits.announced_frame() } else { limits.frame_bytes },
                message_bytes: limits.message_bytes,
                calls_in_flight: limits.calls_in_flight,
            }),
        }
    }
}

#[derive(Serialize)]
struct Welcome<'a> {
    #[serde(rename = "clientID")]
    client_id: &'a str,
    #[serde(rename = "maxMsgSize", skip_serializing_if = "Option::is_none")]
    max_message: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<AnnouncedLimits>,
}

/// What a client may send.
#[derive(Serialize)]
struct AnnouncedLimits {
    #[serde(rename = "maxMsgSize")]
    frame_bytes: usize,
    #[serde(rename = "messageBytes")]
    message_bytes: usize,
    #[serde(rename = "callsInFlight")]
    calls_in_flight: usize,
}
