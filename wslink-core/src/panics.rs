//! Code of the application that panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops a value of the application, whose `Drop` may panic.
pub fn drop_caught<T>(value: T) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        tracing::error!("the drop of a handler or stream panicked");
        // What is dropped of a panic may panic again.
        std::mem::forget(panic);
    }
}
