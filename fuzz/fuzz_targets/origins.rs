//! Hosts and origins of handshakes; the property is `wslink::fuzzing::origins`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink::fuzzing::origins(data));
