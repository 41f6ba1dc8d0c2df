//! Arguments of any shape, bound to parameters; the property is `wslink_properties::binding`.
#![no_main]

#[global_allocator]
static MEMORY: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wslink_properties::binding(data));
