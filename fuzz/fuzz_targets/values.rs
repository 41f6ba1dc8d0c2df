//! Values there and back, in both generations; the property is `wslink::fuzzing::values`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::values(data));
