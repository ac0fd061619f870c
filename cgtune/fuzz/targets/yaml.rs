//! Any bytes as YAML: objects or errors, each in a line of the file; an object that is one converts or is refused.

#![no_main]

mod front;

use cgtune_manifest::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| front::read(bytes, Format::Yaml));
