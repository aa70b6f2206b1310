#!/usr/bin/env bash
# test.sh (make test): formatting, lints, every test in both worlds, the short rushes; on private servers of its own.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers emulators tls
step cargo fmt --check
step bash "$here/deny.sh"
# Everything is built once, with every feature; that it builds with none is checked of what a newcomer runs.
step cargo clippy --all-targets --features aws,otlp --locked -- -D warnings
step cargo clippy --locked -- -D warnings
step cargo test --features aws,otlp --locked --no-run
await_servers
step cargo test --features aws,otlp --locked
export MIAOSHA_BIN=${CARGO_TARGET_DIR:-$root/target}/debug
step bash "$here/rushes.sh" "$bed" 5000
step bash "$here/rushes.sh" "$MIAOSHA_TLS" 2000 cluster_plain
