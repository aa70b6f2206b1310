#!/usr/bin/env bash
# prove.sh (make prove): the long runs that `make test` leaves out: the model's larger worlds, 10,000 receipts
# read back, and the rushes of 100,000 buyers; on private servers of its own, release build.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers tls
step cargo build --release --locked --bins
step cargo test --release --locked --package model -- --ignored
await_servers
export MIAOSHA_BIN=${CARGO_TARGET_DIR:-$root/target}/release
step "$MIAOSHA_BIN/loadtest" receipts
step bash "$here/rushes.sh" "$bed" 100000
step bash "$here/rushes.sh" "$MIAOSHA_TLS" 100000 cluster_plain
step bash "$here/websocket.sh"
