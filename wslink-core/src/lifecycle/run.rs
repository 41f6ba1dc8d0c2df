//! Runs the hooks of one client: those that admit it, and those that hear what happens to it.

use std::{
    any::Any,
    collections::VecDeque,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    HookKind, Hooked, Visit,
    hooks::Place,
    visit::{Inner, Occasion},
};
use crate::{
    CallError, Disconnect, ErrorCode,
    panics::{self, drop_caught},
};

/// The `connected` hooks of a client, one after the other. Ready with the error of the first that refuses it. Never
/// panics.
pub struct Admission {
    visit: Arc<Visit>,
    /// The next group of hooks.
    group: usize,
    /// Those of the group before that are still to run.
    left: VecDeque<Place>,
    running: Option<Hooked>,
}

impl Admission {
    pub(super) const fn new(visit: Arc<Visit>) -> Self {
        Self { visit, group: 0, left: VecDeque::new(), running: None }
    }
}

impl Future for Admission {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { visit, group, left, running } = &mut *self;
        let inner = visit.inner();
        loop {
            if let Some(hook) = running {
                let Poll::Ready(outcome) = poll(hook, cx) else { return Poll::Pending };
                drop_caught(running.take());
                outcome?;
            }
            if let Some(hook) = left.pop_front() {
                *running = begin(inner, hook, &Disconnect::Lost)?;
                continue;
            }
            // The hooks of every group before have succeeded.
            inner.lock().known_to = *group;
            if *group == inner.hooks.len() {
                return Poll::Ready(Ok(()));
            }
            make_instance(inner, *group)?;
            left.extend(inner.hooks.places(*group, HookKind::Connected, None));
            *group += 1;
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        drop_caught(self.running.take());
    }
}

/// Tells the services what they were not told yet of a client. Never panics.
pub struct HookRun {
    visit: Arc<Inner>,
    /// What is being told, and the hooks that are still to run.
    told: Option<(Occasion, VecDeque<Place>)>,
    running: Option<Hooked>,
}

impl HookRun {
    pub(super) const fn new(visit: Arc<Inner>) -> Self {
        Self { visit, told: None, running: None }
    }

    /// The next thing to tell, with its hooks. Nothing more is told once there is none.
    fn next(&self) -> Option<(Occasion, VecDeque<Place>)> {
        let mut state = self.visit.lock();
        let Some(occasion) = state.untold.pop_front() else {
            state.is_telling = false;
            return None;
        };
        let groups = 0..state.known_to;
        drop(state);
        let places = |group| self.visit.hooks.places(group, occasion.kind(), occasion.topic());
        let hooks = if occasion.is_end() { groups.rev().flat_map(places).collect() } else { groups.flat_map(places).collect() };
        Some((occasion, hooks))
    }
}

impl Future for HookRun {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if let Some(hook) = &mut this.running {
                // What it returns is of no account: nobody can be refused any more.
                let Poll::Ready(_) = poll(hook, cx) else { return Poll::Pending };
                drop_caught(this.running.take());
            }
            let Some((occasion, hooks)) = &mut this.told else {
                this.told = this.next();
                if this.told.is_none() {
                    return Poll::Ready(());
                }
                continue;
            };
            if let Some(hook) = hooks.pop_front() {
                let reason = if let Occasion::Disconnected(reason) = &*occasion { reason } else { &Disconnect::Lost };
                // One that panicked has been logged.
                this.running = begin(&this.visit, hook, reason).unwrap_or_default();
                continue;
            }
            if let Occasion::Disconnected(_) = occasion {
                let instances = mem::take(&mut this.visit.lock().instances);
                drop_caught(instances);
            }
            this.told = None;
        }
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        drop_caught(self.running.take());
    }
}

/// Makes the instance that the client has of the service at `group`, where each client has one.
fn make_instance(visit: &Inner, group: usize) -> Result<(), CallError> {
    let client = visit.lock().client.clone();
    let made = catch_unwind(AssertUnwindSafe(|| visit.hooks.make_instance(group, &client))).map_err(panicked)?;
    visit.lock().instances.extend(made.map(|instance| (group, instance)));
    Ok(())
}

/// Begins one hook, with the client as it is now.
fn begin(visit: &Inner, hook: Place, reason: &Disconnect) -> Result<Option<Hooked>, CallError> {
    let client = visit.lock().client.clone();
    let own = visit.instance(hook.0);
    catch_unwind(AssertUnwindSafe(|| visit.hooks.begin(hook, &client, own.as_ref(), reason))).map_err(panicked)
}

fn poll(hook: &mut Hooked, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
    catch_unwind(AssertUnwindSafe(|| hook.as_mut().poll(cx))).unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))))
}

fn panicked(panic: Box<dyn Any + Send>) -> CallError {
    tracing::error!(panic = panics::text(&*panic), "a hook panicked");
    drop_caught(panic);
    CallError::new(ErrorCode::Exception, "Exception raised")
}
