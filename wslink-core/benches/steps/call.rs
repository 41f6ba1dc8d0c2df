//! A call through a session: from the payload of a frame to the frame of its reply, without a socket and without a task.

use std::{
    any::TypeId,
    hint::black_box,
    pin::pin,
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll, Waker},
    time::Instant,
};

use super::{
    Run, Step,
    sample::{self, METHOD, NUMBERS},
};
use wslink_core::{
    __private as rt, Handshake, Limits, Publisher, Secret,
    rpc::{CallPolicy, Erasure, MethodDescriptor, Mounted, ParameterDescriptor, Plain as _, Routes, Service, ServiceDescriptor},
    session::{Event, Session, Shared},
    topic::Hub,
    wire::{Parts, Protocol, Protocols, V1, V2},
};

pub(super) const STEPS: &[Step] =
    &[Step::new("sum of two numbers, v1", || call(V1)), Step::new("sum of two numbers, v2", || call(V2))];

fn call(protocol: &'static dyn Protocol) -> Run {
    let request = sample::small_call(protocol, Parts { positional: Some(&NUMBERS), named: None });
    let mut session = session(protocol);
    let now = Instant::now();
    Box::new(move || {
        session.handle_frame(now, protocol.first_frame(), request.clone());
        black_box(session.poll_transmit().unwrap());
    })
}

/// A session whose client has said hello.
fn session(protocol: &'static dyn Protocol) -> Session {
    let hub = Arc::new(Hub::default());
    let shared = Shared {
        routes: Routes::new(&[Mounted::new(Probe)]).unwrap(),
        publisher: Publisher::new(Arc::clone(&hub)),
        hub,
        limits: Limits::default(),
        authenticator: Arc::new(Secret::published()),
        expose_details: false,
        manifest: None,
        telemetry: None,
        protocols: Protocols::default(),
        hooks: None,
        held: AtomicUsize::new(0),
    };
    let now = Instant::now();
    let mut session = Session::server(Arc::new(shared), Handshake::default(), None, now).unwrap();
    session.handle_frame(now, protocol.first_frame(), sample::hello(protocol));
    let Some(Event::Authenticate(attempt)) = session.poll_event() else { panic!("no hello") };
    let Poll::Ready(verdict) = pin!(attempt).poll(&mut Context::from_waker(Waker::noop())) else { panic!("not at once") };
    session.authenticated(now, Ok(verdict));
    assert!(session.is_authenticated() && session.poll_transmit().is_some());
    session
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
            terms: CallPolicy { timeout: None, require: None },
            call: |call| {
                let sum = call.take::<f64>(0)? + call.take::<f64>(1)?;
                rt::done(rt::Returned(sum).send(call.reply()))
            },
        }],
        hooks: &[],
        topics: &[],
        ordered: false,
    };
    const ERASURE: Erasure<Self> = Erasure::OF;
}
