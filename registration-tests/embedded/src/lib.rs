//! What a C program links: a function that mounts the services and tells their methods.

use std::ffi::{c_char, c_int};

/// Calls `each` with every URI and its length; 0 if they are the right ones.
#[unsafe(no_mangle)]
pub extern "C" fn embedded_methods(each: extern "C" fn(*const c_char, usize)) -> c_int {
    let Ok(methods) = program::mounted().methods() else { return 2 };
    for uri in &methods {
        each(uri.as_ptr().cast(), uri.len());
    }
    c_int::from(methods != program::METHODS)
}

/// How many services the constructors registered. Not all of them, depending on what the linker took.
#[unsafe(no_mangle)]
pub extern "C" fn embedded_registered() -> c_int {
    wslink::rpc::linked().len().try_into().unwrap_or(c_int::MAX)
}
