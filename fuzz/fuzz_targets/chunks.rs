//! Messages cut and mixed in any way; the property is `wslink::fuzzing::chunks`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::chunks(data));
