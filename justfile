# What a person does here. `just` lists it.

_list:
    @just --list --unsorted

# Under two minutes: what a CPU limit does to an encoder's latency, on this machine
quick:
    cargo run --release --bin cgbench -- run --quick

# A quarter of an hour: the same, long enough for a p99
bench *ARGS:
    cargo run --release --bin cgbench -- run {{ARGS}}

# Is this machine fit for measuring latency, and what can be done about it if not?
doctor *ARGS:
    cargo run --release --bin cgbench -- doctor {{ARGS}}

# Does this kernel throttle as documented?
check:
    cargo run --release --bin cgbench -- check

# The operator's tool: just cgtune stat --all
cgtune *ARGS:
    cargo run --release --bin cgtune -- {{ARGS}}

# Every test, those on the real kernel included (root)
test:
    cargo test --workspace

# The tests that need neither root nor cgroups
test-unprivileged:
    cargo test --workspace --lib --bins --test 'convert*' --test 'assign*' --test 'kubelet*' --test pin_plan --test 'plan_laws' --test 'parse_files' --test 'analysis*' --test 'terminal' --test 'ranges' --test 'simulate' --test 'explain' --test 'diagnose_model' --test 'scenario_draws' --test 'top' --test 'topology*' --test doctor --test report_html

# The tests on the real kernel (root)
test-root:
    cargo test -p cgtune-sys --test 'real*' -- --nocapture
    cargo test -p cgtune --test 'real*' -- --nocapture
    cargo test -p cgbench --test real_run

# The tests on a kernel with cgroup v2 alone, and on a hybrid one, in QEMU (testbed/README.md)
test-v2 *ARGS:
    testbed/run {{ARGS}}

# What systemd does to CPU settings that somebody else wrote, in QEMU
test-v2-systemd:
    testbed/run --systemd

# Situations with a known cause, for `cgtune diagnose` to name: the confusion matrix (root, an idle machine)
scenarios *ARGS='matrix':
    cargo build --release -p cgtune --bin cgtune -p workloads --bin workloads
    cargo run --release -p cgtune --example scenarios -- {{ARGS}}

# Formatting, lints and documentation, warnings denied
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Read, parse and encode under a benchmark harness; timings, so no test
benchmark:
    cargo bench -p cgtune-sys --bench read
    cargo bench -p cgtune-sys --bench scan
    cargo bench -p cgtune-core --bench sim
    cargo bench -p cgtune-core --bench assign
    cargo bench -p workloads
    cargo bench -p cgbench --bench report

# Untrusted text: every fuzz target, so many seconds each (needs cargo-fuzz)
fuzz SECONDS='600':
    cgtune/fuzz/run {{SECONDS}}

# The laws of the choice of CPUs, on so many random machines each
laws CASES='200000':
    PROPTEST_CASES={{CASES}} PROPTEST_MAX_GLOBAL_REJECTS=100000000 PROPTEST_MAX_LOCAL_REJECTS=100000000 \
        cargo test --release -p cgtune-core --test assign_laws --test assign_place

# The pictures of cgtune top, from a real run (root, an idle machine)
screenshots:
    docs/screenshot

# What takes longer than a test may: the figures that results/README.md quotes (root, an idle machine)
evidence:
    cargo test --release -p workloads --features decoder --test decoder
    cargo test -p cgtune-node --features generate --test generated
    cargo test --release -p cgtune-sys --test real_cgroup --test real_write_order -- --nocapture
    testbed/run --systemd
    testbed/run --long
    testbed/run --expiry
    cargo run --release -p cgtune --example scenarios -- matrix --seeds 1002-1004 --out results/scenarios-v1
    testbed/run --scenarios results/scenarios-v2 matrix --seeds 1002-1003
    cargo bench -p cgtune-sys --bench read
    cargo bench -p cgtune-sys --bench scan
    cargo bench -p cgtune-core --bench assign
    just laws
    cgtune/fuzz/run 600
    cgtune/tests/large
    cgtune/tests/storm
    cargo run --release --bin cgbench -- check --for 30s
    cargo run --release --bin cgbench -- run
    cargo run --release --bin cgbench -- agree --check
    testbed/run --agree "results/$(date +%Y%m%d-%H%M%S)-agree-v2"
    cargo bench -p cgbench --bench report
    just alike
    just published
    cargo run --release --bin cgbench -- run pinning --out results/pinning
    just overhead
    just detection

# Forty comparisons of runs that are alike: how often does the gate alarm? Three quarters of an hour (root, an idle machine)
alike OUT='results/alike':
    cargo build --release -p cgbench --bin cgbench
    cgbench/tests/alike {{OUT}}

# Published experiments on this kernel: exponential work, the kernel's own burst test, an encoder's demand (root, an idle machine)
published:
    cargo run --release --bin cgbench -- run exponential --out results/exponential
    cargo run --release --bin cgbench -- run kernel-burst-test --out results/kernel-burst-test
    cargo run --release --bin cgbench -- run h264-like --out results/h264-like

# What the instrument costs (root, an idle machine)
overhead OUT='results/overhead':
    cargo run --release --bin cgbench -- run overhead --out {{OUT}}
    cargo run --release -p cgbench --example overhead -- {{OUT}}

# How often each method of the gate sees a careless change: an hour of real blocks, then resampling (root, an idle machine)
detection OUT='results/detection':
    cargo run --release --bin cgbench -- run regressions --out {{OUT}}/points
    cargo run --release -p cgbench --example detection -- {{OUT}}/points --config cgbench/examples/detection.toml --out {{OUT}}

# Does the model predict what the kernel did in the reference runs?
agree *ARGS='results/encoder-linux-6.18':
    cargo run --release --bin cgbench -- agree {{ARGS}}

# A quarter of an hour: a grid of loads and limits on this kernel, and the model against it (root, an idle machine)
agree-grid OUT:
    cargo run --release --bin cgbench -- agree --check --out {{OUT}}

# The same grid on cgroup v2 in QEMU, slowed down: counters only (an idle machine)
agree-grid-v2 OUT:
    testbed/run --agree {{OUT}}

# All that a change must pass before it lands
ci:
    .ci/run
