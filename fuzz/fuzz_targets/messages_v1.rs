//! Messages from a server of protocol 1 to our client; the property is `wslink_properties::messages_v1`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink_properties::messages_v1(data));
