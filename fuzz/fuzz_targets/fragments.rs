//! Messages in fragments, with control frames between them; the property is `wslink::fuzzing::fragments`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::fragments(data));
