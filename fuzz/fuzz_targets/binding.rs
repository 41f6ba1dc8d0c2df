//! Arguments of any shape, bound to parameters; the property is `wslink::fuzzing::binding`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::binding(data));
