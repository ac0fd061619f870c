//! The gRPC clients in the repository are what their protocols say. After a change of a `.proto`:
//! `CGTUNE_GENERATE=1 cargo test -p cgtune-node --features generate --test generated`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::{env, fs, path::Path};

/// Each protocol, the folder of its client, and the client.
const CLIENTS: [(&str, &str, &str); 3] = [
    ("proto/runtime.proto", "src/names/cri/generated", "runtime.v1.rs"),
    ("proto/containers.proto", "src/names/cri/generated", "containerd.services.containers.v1.rs"),
    ("../tests/containerd/runtime.proto", "../tests/containerd/generated", "runtime.v1.rs"),
];

#[test]
fn each_client_is_what_its_protocol_says() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (protocol, folder, client) in CLIENTS {
        let protocol = here.join(protocol);
        let made = tempfile::tempdir().unwrap();
        let descriptors = protox::compile([&protocol], [protocol.parent().unwrap()]).unwrap();
        tonic_prost_build::configure()
            .build_server(false)
            .build_transport(false)
            .out_dir(made.path())
            .compile_fds(descriptors)
            .unwrap();
        let made = fs::read_to_string(made.path().join(client)).unwrap();
        let kept = here.join(folder).join(client);
        if env::var_os("CGTUNE_GENERATE").is_some() {
            fs::write(&kept, &made).unwrap();
        }
        let kept = fs::read_to_string(&kept).unwrap_or_default();
        assert!(
            kept == made,
            "{folder}/{client} is not what {} says: run this test with CGTUNE_GENERATE=1",
            protocol.display()
        );
    }
}
