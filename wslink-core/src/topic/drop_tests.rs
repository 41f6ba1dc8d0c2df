//! Tests that code of the application (the `Drop` of a payload's buffer, of a principal's data, and wakers) never
//! runs under a lock of this module: all of it publishes here, which would deadlock.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use bytes::Bytes;

use super::{Delivery, Hub, Interest, Outbox, Publisher, Resume, Topic, Topics};
use crate::{
    Attachment, Client, ClientId, Handshake, Limits, Principal,
    wire::{Encoded, Frame, FrameKind, V2},
};

const RETAINED: Topic<Attachment> = Topic::new("t.retained", Delivery::Latest).retaining();
const RELIABLE: Topic<Attachment> = Topic::new("t.reliable", Delivery::Reliable);
const LATEST: Topic<Attachment> = Topic::new("t.latest", Delivery::Latest);
const LAST_TWO: Topic<Attachment> = Topic::new("t.last_two", Delivery::DropOldest(2));

/// Enough that its buffer is shared with the frames and not copied.
const LARGE: usize = 64 * 1024;

/// A server's hub, and how often code of the application has run.
struct Scene {
    hub: Arc<Hub>,
    ran: Arc<AtomicUsize>,
    limits: Limits,
}

/// Publishes on every topic when it is dropped or woken.
struct Application {
    hub: Weak<Hub>,
    ran: Arc<AtomicUsize>,
    bytes: Vec<u8>,
}

impl Application {
    fn run(&self) {
        let Some(hub) = self.hub.upgrade() else { return };
        self.ran.fetch_add(1, Ordering::Relaxed);
        let publisher = Publisher::new(hub);
        for topic in [RETAINED, RELIABLE, LATEST, LAST_TWO] {
            publisher.publish(topic, &Attachment::from_static(b"from a drop"));
        }
        publisher.publish_untyped("t.untyped", &1);
    }
}

impl AsRef<[u8]> for Application {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.run();
    }
}

/// Of a publisher or a connection that waits.
struct Waiting(Application);

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.0.run();
    }
}

impl Scene {
    fn new() -> Self {
        Self { hub: Arc::default(), ran: Arc::default(), limits: Limits { resume_bytes: 2 * LARGE, ..Limits::default() } }
    }

    fn application(&self) -> Application {
        Application { hub: Arc::downgrade(&self.hub), ran: Arc::clone(&self.ran), bytes: vec![7; LARGE] }
    }

    fn payload(&self) -> Attachment {
        Bytes::from_owner(self.application()).into()
    }

    fn publish(&self, topic: Topic<Attachment>) {
        Publisher::new(Arc::clone(&self.hub)).publish(topic, &self.payload());
    }

    fn client(&self) -> Client {
        let principal = Principal::new("alice").with_data(self.application());
        Client::new(ClientId::random().unwrap(), Handshake::default(), principal)
    }

    /// A client that subscribes to everything and can come back, with what may wait for it.
    fn join(&self, outbox_bytes: usize) -> (Client, Arc<Outbox>, Resume) {
        let (client, outbox) = (self.client(), Arc::new(Outbox::new(outbox_bytes)));
        self.hub.join(client.clone(), V2, Arc::clone(&outbox), Interest::Topics(Topics::default()), None);
        let topics = [RETAINED, RELIABLE, LATEST, LAST_TWO].map(|topic| topic.uri());
        for (number, topic) in (1..).zip(topics.into_iter().chain(["t.untyped"])) {
            self.hub.subscribe(client.id(), &outbox, topic, number);
        }
        let token = self.hub.allow_resume(&client, &outbox, &self.limits).unwrap();
        (client, outbox, Resume { token, received: 0 })
    }
}

/// Runs it on another thread, so that a deadlock fails the test instead of hanging it; it must run the code of the
/// application.
fn without_deadlock(test: impl FnOnce(&Scene) + Send + 'static) {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let scene = Scene::new();
        test(&scene);
        let _ = done.send(scene.ran.load(Ordering::Relaxed));
    });
    let ran = finished.recv_timeout(Duration::from_secs(60)).expect("neither a deadlock nor a panic");
    assert!(ran > 0, "the application's code has run");
}

#[test]
fn a_retained_payload_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        scene.publish(RETAINED);
        scene.publish(RETAINED);
    });
}

#[test]
fn what_a_policy_drops_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (_client, outbox, _) = scene.join(usize::MAX);
        for topic in [LATEST, LAST_TWO] {
            (0..4).for_each(|_| scene.publish(topic));
        }
        while outbox.pop().unwrap().is_some() {}
    });
}

#[test]
fn what_an_overflow_leaves_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (_client, outbox, _) = scene.join(3 * LARGE);
        (0..8).for_each(|_| scene.publish(RELIABLE));
        assert!(outbox.pop().is_err());
    });
}

#[test]
fn what_is_not_kept_for_a_resume_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (_client, outbox, _) = scene.join(usize::MAX);
        for topic in [RELIABLE, LATEST, LAST_TWO, RETAINED] {
            for _ in 0..4 {
                scene.publish(topic);
                while outbox.pop().unwrap().is_some() {}
            }
        }
    });
}

#[test]
fn what_a_lost_client_leaves_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        for forget in [|scene: &Scene| scene.hub.forget_all(), |scene: &Scene| while scene.hub.age() {}] {
            let (client, outbox, _) = scene.join(usize::MAX);
            for topic in [RELIABLE, RELIABLE, LATEST, LAST_TWO] {
                scene.publish(topic);
            }
            outbox.open_progress(1);
            outbox.push_progress(1, Encoded::one(Frame::new(FrameKind::Binary, scene.payload().into_bytes())));
            scene.hub.disconnected(client.id(), &outbox, &scene.limits);
            drop((client, outbox));
            // It is away, so this goes into what is kept for it.
            (0..4).for_each(|_| scene.publish(RELIABLE));
            forget(scene);
        }
        let (client, outbox, _) = scene.join(usize::MAX);
        scene.publish(RELIABLE);
        let id = client.id().clone();
        drop(client);
        scene.hub.leave(&id, &outbox);
    });
}

#[test]
fn what_a_resume_leaves_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (client, outbox, resume) = scene.join(usize::MAX);
        for topic in [RELIABLE, RELIABLE, LATEST] {
            scene.publish(topic);
        }
        while outbox.pop().unwrap().is_some() {}
        scene.hub.disconnected(client.id(), &outbox, &scene.limits);
        drop((client, outbox));
        let again = Arc::new(Outbox::new(usize::MAX));
        again.register(&Waker::from(Arc::new(Waiting(scene.application()))));
        let resumed = scene.hub.resume(&Resume { received: 2, ..resume }, &scene.client(), V2, &again);
        assert!(resumed.is_some());
    });
}

#[test]
fn what_another_principal_must_not_see_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (mut client, outbox, _) = scene.join(usize::MAX);
        scene.publish(RELIABLE);
        while outbox.pop().unwrap().is_some() {}
        client.become_principal(Principal::new("bob").with_data(scene.application()));
        scene.hub.renew(&client, &outbox);
        scene.hub.allow_resume(&client, &outbox, &scene.limits).unwrap();
    });
}

#[test]
fn a_report_that_is_replaced_is_dropped_outside_of_the_locks() {
    without_deadlock(|scene| {
        /// Reports again when it is dropped.
        struct Again(Arc<Outbox>, Application);
        impl AsRef<[u8]> for Again {
            fn as_ref(&self) -> &[u8] {
                &self.1.bytes
            }
        }
        impl Drop for Again {
            fn drop(&mut self) {
                self.0.push_progress(1, Encoded::nothing());
            }
        }
        let outbox = Arc::new(Outbox::new(1000));
        outbox.open_progress(1);
        for _ in 0..2 {
            let payload = Bytes::from_owner(Again(Arc::clone(&outbox), scene.application()));
            outbox.push_progress(1, Encoded::one(Frame::new(FrameKind::Binary, payload)));
        }
    });
}

#[test]
fn wakers_are_woken_outside_of_the_locks() {
    without_deadlock(|scene| {
        let (client, outbox, _) = scene.join(usize::MAX);
        let waker = Waker::from(Arc::new(Waiting(scene.application())));
        outbox.register(&waker);
        scene.publish(RELIABLE);
        let publisher = Publisher::new(Arc::clone(&scene.hub));
        let ends: [&dyn Fn(); 2] = [&|| while outbox.pop().unwrap().is_some() {}, &|| scene.hub.leave(client.id(), &outbox)];
        for end in ends {
            (0..8).for_each(|_| scene.publish(RELIABLE));
            let mut ready = std::pin::pin!(publisher.ready());
            assert!(ready.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            end();
        }
    });
}
