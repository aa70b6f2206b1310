#!/usr/bin/env bash
# rushes.sh DIR BUYERS: the rushes, in both worlds, one function each. `loadtest` audits after every run and fails if
# an invariant is broken. DIR is a folder of private servers (servers.sh); the fleet for the Cluster world joins them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

[ $# -eq 2 ] || fail "usage: rushes.sh DIR BUYERS"
dir=$1
buyers=$2

# The rushes to run, in order.
rushes=()

for rush in "${rushes[@]}"; do
  echo "--> $rush, $buyers buyers"
  "$rush"
done
