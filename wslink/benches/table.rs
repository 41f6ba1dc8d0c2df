//! Services of any number of methods, which differ in their names alone.

use std::any::TypeId;

use wslink::{
    __private as rt,
    rpc::{CallPolicy, MethodDescriptor, Plain as _, Service, ServiceDescriptor},
};

pub(crate) struct Table<const N: usize>;

const METHOD: MethodDescriptor = MethodDescriptor {
    uri: "",
    name: "method",
    docs: "",
    deprecated: false,
    location: rt::here(),
    types: rt::types!(fn() -> u32),
    parameters: &[],
    terms: CallPolicy { timeout: None, require: None },
    call: |call| rt::done(rt::Returned(7).send(call.reply())),
};

impl<const N: usize> Table<N> {
    /// "table.0000", "table.0001" and so on.
    const URIS: [[u8; 10]; N] = {
        let mut uris = [*b"table.0000"; N];
        let mut number = 0;
        while number < N {
            let (mut rest, mut at) = (number, 10);
            while rest > 0 {
                at -= 1;
                uris[number][at] = b"0123456789"[rest % 10];
                rest /= 10;
            }
            number += 1;
        }
        uris
    };

    const METHODS: [MethodDescriptor; N] = {
        let uris: &'static [[u8; 10]; N] = &Self::URIS;
        let mut methods = [METHOD; N];
        let mut number = 0;
        while number < N {
            methods[number].uri = match str::from_utf8(&uris[number]) {
                Ok(uri) => uri,
                Err(_) => panic!("digits are text"),
            };
            number += 1;
        }
        methods
    };
}

impl<const N: usize> Service for Table<N> {
    const DESCRIPTOR: &'static ServiceDescriptor = &ServiceDescriptor {
        name: "Table",
        docs: "",
        type_id: TypeId::of::<Self>,
        location: rt::here(),
        package: "",
        version: "",
        methods: &Self::METHODS,
        topics: &[],
        hooks: &[],
        ordered: false,
    };
    const ERASURE: rt::Erasure<Self> = rt::Erasure::OF;
}
