#!/usr/bin/env bash
# test.sh (make test): formatting, lints, every test in both worlds, the short rushes; on private servers of its own.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers emulators tls
step cargo fmt --check
step bash "$here/deny.sh"
# Everything is built once, with every feature; that it builds with none, as a newcomer builds it, is only checked.
step cargo clippy --all-targets --features aws,otlp,servers --locked -- -D warnings
step cargo clippy --all-targets --locked -- -D warnings
step cargo build --bins --tests --features aws,otlp,servers --locked
await_servers
# Most tests wait for servers, browsers and each other's processes: more of them at once than there are cores.
RUST_TEST_THREADS=$(($(nproc) * 2)) step cargo test --features aws,otlp,servers --locked
export MIAOSHA_BIN=${CARGO_TARGET_DIR:-$root/target}/debug
step bash "$here/rushes.sh" "$bed" 5000
step bash "$here/rushes.sh" "$MIAOSHA_TLS" 2000 cluster_plain
