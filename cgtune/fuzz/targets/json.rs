//! Any bytes as JSON: as in `yaml.rs`; and where serde_json takes the text for one value, so does this reader.

#![no_main]

mod front;

use cgtune_manifest::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| front::read(bytes, Format::Json));
