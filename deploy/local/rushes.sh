#!/usr/bin/env bash
# rushes.sh DIR BUYERS [NAME…]: the rushes, in both worlds, one function each. `loadtest` audits after every run and fails
# if an invariant is broken. DIR is a folder of private servers (servers.sh); the fleet for the Cluster world joins them.
# MIAOSHA_BIN is the folder of the built binaries. Names choose among the rushes; without them all are run.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

[ $# -ge 2 ] || fail "usage: rushes.sh DIR BUYERS [NAME…]"
dir=$1
buyers=$2
shift 2

# A hundredth of the buyers get a unit, twice as many may wait: 100,000 buyers, 1,000 units, 2,000 on standby.
capacity=$((buyers / 50))
[ "$buyers" -lt 50000 ] || capacity=$((buyers / 100))
standby=$((capacity * 2))
# Long enough to kill something in the middle of it.
rate=$((buyers / 5))
[ "$buyers" -lt 50000 ] || rate=$((buyers / 15))
hold_ms=1500
[ "$buyers" -lt 50000 ] || hold_ms=3000
# Where the load's followers have a backlog to pay in: a hold that lapses because they are late sells nothing, and in the end
# standby is empty.
long_hold_ms=$((hold_ms * 2))

rush() { # WORLD ARGUMENTS…
  local world=$1
  shift
  "$MIAOSHA_BIN/loadtest" rush --world "$world" --fleet "$dir" --buyers "$buyers" --capacity "$capacity" \
    --standby "$standby" --rate "$rate" --hold-ms "$hold_ms" --pay-share 0.5 --json "$@"
}

embedded_plain() { rush embedded --expect-sold "$capacity"; }
embedded_sales() { rush embedded --sales 5 --capacity $((capacity / 5)) --standby $((standby / 5)); }
embedded_parties() { rush embedded --quantity-max 4; }
# What an operator gives back goes to the next on standby, and is paid for again.
embedded_refunds() { rush embedded --refund-share 0.4; }
embedded_killed() { rush embedded --kill shop --expect-sold "$capacity"; }
# A consumer's task panics: the process drains, ends with an exit code that says so, and is started again.
embedded_consumer_panics() { rush embedded --kill shop-panics --expect-sold "$capacity"; }

# Accounts that never pay, beside honest buyers, with the conditions of an admission and without.
embedded_hoarded() { "$MIAOSHA_BIN/loadtest" hoard --accounts 225 --hold-ms 2000 --periods 16 --json; }

# Everybody who holds a unit pays, 10,000 within half a minute of each other, and as many come as there are units: a hold that lapses
# for the till's sake is a unit that nobody gets. And the rush of five sales with the shortest holds, in which a slow till leaves
# some unsold. By their names alone: a figure of speed decides.
rush_hour() { # WORLD
  "$MIAOSHA_BIN/loadtest" rush --world "$1" --fleet "$dir" --buyers 10000 --capacity 10000 --standby 0 --rate 5000 \
    --hold-ms 30000 --pay-share 1 --followers 64 --expect-sold 10000 --json
}
short_holds() { # WORLD
  rush "$1" --sales 5 --capacity $((capacity / 5)) --standby $((standby / 5)) --hold-ms 3000 --expect-sold "$capacity"
}
embedded_rush_hour() { rush_hour embedded; }
embedded_short_holds() { short_holds embedded; }
cluster_rush_hour() { rush_hour cluster; }
cluster_short_holds() { short_holds cluster; }

embedded_stopped() { rush embedded --kill stop-shop --expect-sold "$capacity"; }

cluster_plain() { rush cluster --expect-sold "$capacity"; }
# The same, watched by a real Prometheus.
cluster_watched() {
  python3 "$here/observability.py" "$dir" "$MIAOSHA_BIN/loadtest" rush --world cluster --fleet "$dir" --buyers "$buyers" \
    --capacity "$capacity" --standby "$standby" --rate "$rate" --hold-ms "$hold_ms" --pay-share 0.5 --json
}
cluster_sales() {
  rush cluster --sales 5 --capacity $((capacity / 5)) --standby $((standby / 5)) --hold-ms "$long_hold_ms" --expect-sold "$capacity"
}
cluster_parties() { rush cluster --quantity-max 4; }
cluster_consumer_killed() { rush cluster --kill consumer --expect-sold "$capacity"; }
cluster_consumer_panics() { rush cluster --kill consumer-panics --expect-sold "$capacity"; }
cluster_publisher_killed() { rush cluster --kill publisher --expect-sold "$capacity"; }
cluster_payment_consumer_killed() { rush cluster --kill payment-consumer --expect-sold "$capacity"; }
cluster_gateway_killed() { rush cluster --kill gateway --expect-sold "$capacity"; }
# One of each service at a time, by SIGTERM, behind a load balancer; slowly enough that buyers see all of it. How many are sold in
# so long a time depends on how quickly the machine lets them pay.
cluster_rolled() { rush cluster --rate $((buyers / 30)) --hold-ms 5000 --roll publisher,consumer,payment-consumer,gateway; }
cluster_keys_rotated() { rush cluster --rate $((buyers / 40)) --hold-ms 5000 --rotate-keys; }
cluster_stopped() { rush cluster --kill stop-publisher,stop-consumer,stop-payment-consumer,stop-gateway; }
without() { rush cluster --hold-ms "$long_hold_ms" --expect-sold "$capacity" --kill "$@"; }
cluster_redis_emptied() { without redis; }
cluster_redis_flushed() { without redis-flushed; }
cluster_redis_stale() { without redis-stale; }
# For longer than consumers wait: they decide from their memories, and go back.
cluster_redis_away() { from_memory redis@10000; }
# For shorter and for longer than that, in turns: before one way is over the next begins.
cluster_redis_flaps() {
  from_memory redis@300,redis@4000,redis-stale@500,redis@2500,redis-stale@3000,redis@1200 --rate $((buyers / 20))
}
# Silent, and its connections stay open: what it was asked before is answered late.
cluster_redis_stopped() { from_memory redis-paused@8000; }
# Of five sales each falls back by itself, at the consumer that has it.
cluster_redis_away_sales() {
  from_memory redis@10000 --sales 5 --capacity $((capacity / 5)) --standby $((standby / 5))
}
# Its sales are the other consumer's once its lease is over, or its own again.
cluster_redis_away_holder_killed() { from_memory redis+holder@20000 --hold-ms $((long_hold_ms * 2)); }
from_memory() { # KILLS ARGUMENTS…
  local result=0
  set_fallback automatic
  without "$@" || result=$?
  set_fallback off
  return $result
}
set_fallback() { # MODE
  local part
  sed -i '/^MIAOSHA__CONSUMER__FALLBACK__/d' "$dir/fleet.env"
  printf '%s\n' "MIAOSHA__CONSUMER__FALLBACK__MODE=$1" MIAOSHA__CONSUMER__FALLBACK__FALLBACK_AFTER_MS=1000 \
    MIAOSHA__CONSUMER__FALLBACK__RETURN_AFTER_MS=1000 MIAOSHA__CONSUMER__FALLBACK__LEASE_MS=5000 >>"$dir/fleet.env"
  for part in consumer-1 consumer-2; do
    bash "$here/part.sh" stop "$dir" "$part"
    bash "$here/part.sh" start "$dir" "$part"
  done
}
cluster_rabbitmq_killed() { without rabbitmq; }
# Not gone, but silent: connections stay open, and no message gets through.
cluster_rabbitmq_paused() { without rabbitmq-paused --away-ms 8000; }
cluster_mariadb_killed() { without mariadb; }

# Through nginx and not around it, every buyer from an address of its own. Who was not answered sends again.
front_killed() { rush cluster --front --kill publisher,gateway --hold-ms 4000; }
# Frozen instead of dead: they take connections and say nothing.
front_paused() { rush cluster --front --kill publisher-paused,gateway-paused --away-ms 10000 --hold-ms 15000; }
front_sockets() {
  "$MIAOSHA_BIN/loadtest" sockets --world cluster --front --fleet "$dir" --json --hold-s 5 --told-s-max 120 \
    --connections $((buyers < 15000 ? buyers : 15000))
}
# The broker is silent while something happens to many who are connected: soon after it is back, every client was told all that
# the ledger knows.
cluster_told() {
  "$MIAOSHA_BIN/loadtest" sockets --world cluster --fleet "$dir" --json --hold-s 1 --told-s-max 120 --broker-paused-s 8 \
    --connections $((buyers < 15000 ? buyers : 15000)) --gateways 2
}

rushes=(embedded_plain embedded_sales embedded_parties embedded_refunds embedded_killed embedded_consumer_panics embedded_hoarded embedded_stopped
  cluster_plain cluster_watched cluster_sales cluster_parties
  cluster_consumer_killed cluster_consumer_panics cluster_publisher_killed cluster_payment_consumer_killed cluster_gateway_killed cluster_stopped
  cluster_rolled cluster_keys_rotated
  cluster_redis_emptied cluster_redis_flushed cluster_redis_stale cluster_redis_away cluster_redis_flaps cluster_redis_stopped
  cluster_redis_away_sales cluster_redis_away_holder_killed cluster_rabbitmq_killed cluster_rabbitmq_paused
  cluster_mariadb_killed cluster_told
  front_killed front_paused front_sockets)
[ $# -eq 0 ] || rushes=("$@")

[ -n "${MIAOSHA_BIN:-}" ] || fail "MIAOSHA_BIN must name the folder of the built binaries"
export MIAOSHA_BIN
case " ${rushes[*]} " in
  *" cluster_"* | *" front_"*) bash "$here/fleet.sh" up "$dir" ;;
esac
for rush in "${rushes[@]}"; do
  echo "--> $rush, $buyers buyers"
  "$rush"
done
