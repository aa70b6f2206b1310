#!/usr/bin/env bash
# bench.sh (make bench) [ARGUMENT…]: every figure of speed in one table, each beside its reference in the same run;
# on private servers of its own. Arguments go to `loadtest bench`.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers
step cargo build --release --locked --bins
await_servers
step "${CARGO_TARGET_DIR:-$root/target}/release/loadtest" bench "$@"
