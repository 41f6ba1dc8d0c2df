//! The way of a call through the core: from the payload of a frame to the frames of its reply, without a
//! socket and without a task.

use std::{
    any::TypeId,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{
    Run, Step,
    sample::{self, METHOD, NUMBERS},
};
use crate::{
    __private as rt, Handshake, Limits, Publisher, Secret,
    connection::{self, Connection, Shared},
    rpc::{Erasure, MethodDescriptor, Mounted, ParameterDescriptor, Plain as _, Routes, Service, ServiceDescriptor, Terms},
    topic::Hub,
    wire::{FrameKind, message::Parts},
};

pub(super) const STEPS: &[Step] = &[
    Step::new("sum of two numbers, v1", || call(FrameKind::Text)),
    Step::new("sum of two numbers, v2", || call(FrameKind::Binary)),
];

fn call(generation: FrameKind) -> Run {
    let request = sample::small_call(generation, Parts { positional: Some(&NUMBERS), named: None });
    let mut connection = connection(generation);
    Box::new(move || {
        let connection::Step::Reply(reply) = receive(&mut connection, generation, &request) else { panic!("no reply") };
        black_box(reply);
    })
}

/// A connection that has said hello.
fn connection(generation: FrameKind) -> Connection {
    let hub = Arc::new(Hub::default());
    let shared = Shared {
        routes: Routes::new(&[Mounted::new(Probe)]).unwrap(),
        publisher: Publisher::new(Arc::clone(&hub)),
        hub,
        limits: Limits::default(),
        authenticator: Arc::new(Secret::published()),
        expose_details: false,
        manifest: None,
        account: None,
    };
    let mut connection = Connection::new(Arc::new(shared), Handshake::default()).unwrap();
    let step = receive(&mut connection, generation, &sample::hello(generation));
    let connection::Step::Greeting(greeting) = step else { panic!("no greeting") };
    let Poll::Ready(greeted) = pin!(greeting).poll(&mut Context::from_waker(Waker::noop())) else { panic!("not at once") };
    connection.greeted(greeted);
    assert!(connection.is_authenticated());
    connection
}

fn receive(connection: &mut Connection, kind: FrameKind, payload: &Bytes) -> connection::Step {
    connection.receive(kind, payload.clone(), 0).unwrap()
}

/// Not by the macro, which would have every program with these steps know of the service.
struct Probe;

impl Service for Probe {
    const DESCRIPTOR: &'static ServiceDescriptor = &ServiceDescriptor {
        name: "Probe",
        docs: "",
        type_id: TypeId::of::<Self>,
        location: rt::here(),
        package: "",
        version: "",
        methods: &[MethodDescriptor {
            uri: METHOD,
            name: "add",
            docs: "",
            deprecated: false,
            location: rt::here(),
            types: rt::types!(fn(f64, f64) -> f64),
            parameters: &[ParameterDescriptor::required::<f64>("a"), ParameterDescriptor::required::<f64>("b")],
            terms: Terms { timeout: None, require: None },
            call: |call| {
                let sum = call.take::<f64>(0)? + call.take::<f64>(1)?;
                rt::done(rt::Returned(sum).send(call.reply()))
            },
        }],
        topics: &[],
        ordered: false,
    };
    const ERASURE: Erasure<Self> = Erasure::OF;
}
