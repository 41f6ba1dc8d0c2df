//! The life of a client on a server: which hooks of the services run when it comes, loses its connection and is gone.
//!
//! A [`Visit`] lasts from the first good hello to the end, over all connections by which the client resumes. Its hooks
//! run one after the other, in an order that no thread can change: `connected` first, `disconnected` last. Knows no
//! runtime: the caller says how a future is run.

pub use self::{
    hook::{
        HookCall, HookDescriptor, HookKind, HookParameter, HookResult, Hooked, OnConnected, OnDisconnected, OnOther, hooked,
        hooked_later,
    },
    hooks::{HookFn, Hooks, Instance, MakeInstance, ServiceHooks},
    run::{Admission, HookRun},
    visit::Visit,
};

mod hook;
mod hooks;
mod run;
mod visit;
