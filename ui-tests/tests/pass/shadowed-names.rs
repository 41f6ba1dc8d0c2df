//! The user's own names never reach generated code, whatever they are.
#![allow(dead_code, non_camel_case_types, non_snake_case, unused_macros)]

use ::serde::Serialize;
use ::wslink::{Topic, rpc, service, topic};

struct Result;
struct Option;
struct Vec;
struct Box;
struct Some;
struct None;
struct Ok;
struct Err;
struct String;
struct Send;
struct Sync;
struct Default;
fn call() {}
fn this() {}
fn reply() {}
fn a0() -> u8 {
    7
}
mod std {}
mod core {}
mod serde {}
mod wslink {}
mod inventory {}
mod rt {}
macro_rules! env {
    () => {
        compile_error!("not the user's `env`")
    };
}
macro_rules! rpc {
    () => {
        compile_error!("not the user's `rpc!`")
    };
}
macro_rules! line {
    () => {
        compile_error!("not the user's `line`")
    };
}
macro_rules! file {
    () => {
        compile_error!("not the user's `file`")
    };
}
macro_rules! column {
    () => {
        compile_error!("not the user's `column`")
    };
}

#[derive(Serialize)]
struct Outcome(u8);

struct Service;
struct Returned;

trait Plain {
    fn send(&self, reply: u8) -> u8;
}

impl<T> Plain for T {
    fn send(&self, reply: u8) -> u8 {
        reply
    }
}

fn quality() -> u8 {
    90
}

#[service]
impl Service {
    #[topic("service.changed")]
    const DESCRIPTOR: Topic<Outcome>;

    #[rpc("service.image")]
    async fn image(&self, #[arg(default = a0() + quality())] a1: u8, #[arg(default)] reply: u8) -> Outcome {
        Outcome(a1 + reply)
    }

    /// `clone` of the service, not of what the service is kept in.
    #[rpc("service.clone")]
    fn clone(&self, call: u8, this: u8) -> ::std::result::Result<u8, ::wslink::CallError> {
        ::std::result::Result::Ok(call + this)
    }

    #[rpc("service.take", blocking)]
    fn take(&self) {}
}

fn main() {
    let descriptor = <Service as ::wslink::rpc::Service>::DESCRIPTOR;
    ::std::assert_eq!(descriptor.methods.len(), 3);
    ::std::assert_eq!(descriptor.topics[0].uri, "service.changed");
}
