//! Messages cut and mixed in any way; the property is `wslink_properties::chunks`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink_properties::chunks(data));
