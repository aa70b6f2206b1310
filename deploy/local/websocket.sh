#!/usr/bin/env bash
# websocket.sh (make test-websocket): every case of the public suite for WebSocket servers, over both transports, those with
# messages of megabytes included. `make test` leaves the latter out.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

export MIAOSHA_EMULATORS=${CARGO_TARGET_DIR:-$root/target}/emulators
mkdir -p "${MIAOSHA_EMULATORS%/*}"
bash "$here/emulators.sh" "$MIAOSHA_EMULATORS"
MIAOSHA_CONFORMANCE=all cargo test --features aws,otlp,servers --locked --test fleet -- judged --nocapture
