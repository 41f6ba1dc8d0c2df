//! Code of the application that panics.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Drops a value of the application, whose `Drop` may panic.
pub fn drop_caught<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        tracing::error!("the drop of a handler or stream panicked");
        // What is dropped of a panic may panic again.
        std::mem::forget(panic);
    }
}

/// The text that a panic was given, where it was text.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no text")
}
