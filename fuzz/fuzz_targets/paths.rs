//! Targets of requests for files; the property is `wslink::fuzzing::paths`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::paths(data));
