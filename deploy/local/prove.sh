#!/usr/bin/env bash
# prove.sh (make prove): the long runs that `make test` leaves out: the tests marked `ignore` (larger bounds, longer
# random runs) and the rushes of 100,000 buyers; on private servers of its own, release build.
. "$(dirname "${BASH_SOURCE[0]}")/testbed.sh"

begin_servers
step cargo test --release --locked --no-run
await_servers
step cargo test --release --locked -- --ignored
export MIAOSHA_BIN=${CARGO_TARGET_DIR:-$root/target}/release
step bash "$here/rushes.sh" "$bed" 100000
