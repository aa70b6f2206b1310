#!/usr/bin/env bash
# test.sh (make test): formatting, lints, every test in both worlds, the short rushes; on private servers of its own.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers
step cargo fmt --check
step cargo clippy --all-targets --locked -- -D warnings
step cargo test --locked --no-run
await_servers
step cargo test --locked
export MIAOSHA_BIN=${CARGO_TARGET_DIR:-$root/target}/debug
step bash "$here/rushes.sh" "$bed" 5000
