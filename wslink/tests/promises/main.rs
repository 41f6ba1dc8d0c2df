//! The promises of `docs/promises.md`, shown on servers that run as processes of their own with their default limits.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod before_login;
mod canary;
mod faults;
mod http;
mod load;
mod messages;
mod program;
mod proxy;
mod raw;
mod trial;
mod wire;

#[path = "../it/harness.rs"]
#[allow(dead_code, unreachable_pub, clippy::needless_pass_by_value, reason = "shared with the tests of servers in this process")]
mod harness;

#[path = "../it/kit.rs"]
mod kit;
