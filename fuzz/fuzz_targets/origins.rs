//! Hosts and origins of handshakes; the property is `wslink_properties::origins`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink_properties::origins(data));
