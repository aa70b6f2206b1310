#!/usr/bin/env bash
# fleet.sh up|down [DIR=.fleet]: the Cluster world on this machine without containers.
#   up    installs and starts the servers (servers.sh), builds, migrates, starts two of each service and nginx in front of them,
#         prints the URLs; the gateways have a box office. Done again, it builds again, starts the services anew and has nginx read its files; servers and data
#         stay.
#   down  ends nginx and the services by SIGTERM, then the servers. The folder stays; remove it to begin with nothing.
# DIR/state.json tells every part: where it listens, its pid file, how to start it again.
# DIR/fleet.env is the services' whole configuration; with it, `miaosha` speaks to this fleet from a shell.
# MIAOSHA_BIN names a folder of built binaries; without it, release ones are built.
set -euo pipefail
umask 077
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

services=(publisher-1 publisher-2 consumer-1 consumer-2 payment-consumer-1 payment-consumer-2 gateway-1 gateway-2
  socket-gateway-1 socket-gateway-2)

build() {
  local target=${CARGO_TARGET_DIR:-$root/target}
  if [ -z "${MIAOSHA_BIN:-}" ]; then
    (cd "$root" && cargo build --release --locked --bins) || return 1
    MIAOSHA_BIN=$target/release
  fi
  bin=$(cd "$MIAOSHA_BIN" && pwd)
}

receipt_key() {
  echo "MIAOSHA__RECEIPT_KEYS='r1:$(random_hex 32)'"
}

# Written once: the ports and keys of a fleet stay the same as long as its folder.
prepare_fleet() {
  if [ -f "$dir/fleet.env" ]; then
    grep -q box_office_port "$dir/nginx/env" || fail "$dir is of a version without a box office: remove the folder"
    return 0
  fi
  . "$dir/state.env"
  {
    echo "MIAOSHA__REDIS__URL='$MIAOSHA_REDIS_URL'"
    echo "MIAOSHA__RABBIT__URL='$MIAOSHA_RABBIT_URL'"
    echo "MIAOSHA__MYSQL__URL='$MIAOSHA_MYSQL_URL'"
    if [ -n "${MIAOSHA_CA_FILE:-}" ]; then printf '%s\n' "MIAOSHA__TLS__CA_FILE='$MIAOSHA_CA_FILE'" "MIAOSHA__TLS__REQUIRED=true"; fi
    echo "MIAOSHA__MYSQL__REPLICA_URL='$MIAOSHA_MYSQL_REPLICA_URL'"
    # nginx. Without it in front, the client is the connecting peer.
    echo "MIAOSHA__GATEWAY__TRUSTED_HOPS=1"
    echo "MIAOSHA__HTTP__TRUSTED_PROXIES=loopback"
    echo "MIAOSHA__NAMESPACE='miaosha'"
    echo "MIAOSHA__ARCHIVE__FOLDER='$dir/archive'"
    echo "MIAOSHA__MAIL__FOLDER='$dir/mail'"
    # A rush may have a task panic.
    echo "MIAOSHA__PROCESS__FAULTS=true"
    # Long enough for a balancer that asks ten times a second.
    echo "MIAOSHA__HTTP__UNREADY_MS=1000"
    # The sandbox answers within seconds: after a gateway is killed here, the rest should not take a minute.
    echo "MIAOSHA__GATEWAY__CAPTURE_MS_MAX=4000"
    echo "MIAOSHA__PAYMENTS__SANDBOX=true"
    echo "MIAOSHA__PAYMENTS__PAYING_MS_MAX=8000"
    echo "MIAOSHA__TOKEN_KEYS='access:$(random_hex 4):$(random_hex 32),checkout:$(random_hex 4):$(random_hex 32),admission:$(random_hex 4):$(random_hex 32)'"
  } >"$dir/fleet.env.new"
  receipt_key >>"$dir/fleet.env.new"
  prepare_ports
  mv "$dir/fleet.env.new" "$dir/fleet.env"
}

prepare_ports() {
  local base part n=0
  base=$(free_ports 40)
  for part in "${services[@]}" nginx; do
    mkdir -p "$dir/$part"
    echo "inner_port=$((base + n))" >"$dir/$part/env"
    case $part in
      publisher-* | gateway-* | socket-gateway-* | nginx) echo "listen_port=$((base + 16 + n))" >>"$dir/$part/env" ;;
    esac
    # A box office listens beside its gateway, and nginx before all of them.
    case $part in
      gateway-* | nginx) echo "box_office_port=$((base + 27 + n))" >>"$dir/$part/env" ;;
    esac
    n=$((n + 1))
  done
}

prepare_service() { # PART
  local listen_port='' inner_port='' box_office_port='' program
  program=$(kind_of "$1")
  . "$dir/$1/env"
  {
    echo "set -a"
    echo ". '$dir/fleet.env'"
    if [ "$program" = socket-gateway ]; then
      program=gateway
      # It hears who asks and signs nothing: it has public keys, and none for receipts.
      echo "MIAOSHA__TOKEN_KEYS=\$('$bin/miaosha' public-keys)"
      echo "unset MIAOSHA__RECEIPT_KEYS"
      echo "MIAOSHA__GATEWAY__SOCKETS__ONLY=true"
      echo "MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN=127.0.0.1:$listen_port"
    elif [ -n "$listen_port" ]; then
      echo "MIAOSHA__HTTP__LISTEN=127.0.0.1:$listen_port"
    fi
    if [ -n "$box_office_port" ]; then
      printf '%s\n' MIAOSHA__BOX_OFFICE__ON=true "MIAOSHA__BOX_OFFICE__LISTEN=127.0.0.1:$box_office_port"
    fi
    if [ "$program" = publisher ]; then
      # It reads admissions and refuses the keys of other tokens.
      echo 'MIAOSHA__TOKEN_KEYS=$(printf %s "$MIAOSHA__TOKEN_KEYS" | tr , "\n" | grep "^admission:" | paste -sd, -)'
    fi
    echo "MIAOSHA__PROCESS__INNER_LISTEN=127.0.0.1:$inner_port"
    echo "exec '$bin/$program'"
  } >"$dir/$1/run"
}

write_upstream() { # NAME KIND LINE [PORT=listen_port]
  local part listen_port box_office_port port=${4:-listen_port}
  echo "upstream $1 {"
  echo "    zone $1 128k;"
  for part in "${services[@]}"; do
    [ "$(kind_of "$part")" = "$2" ] || continue
    . "$dir/$part/env"
    echo "    server 127.0.0.1:${!port} max_fails=1 fail_timeout=5s;"
  done
  echo "    $3"
  echo "}"
}

# The files of every place, and the one that is this fleet's. Its clients are on this machine, and a load test says for whom it
# comes, as a balancer would; only 127.0.0.1 is believed, the rest of 127.0.0.0/8 are clients like any other.
prepare_nginx() {
  local home=$dir/nginx listen_port inner_port box_office_port file options='daemon off;'
  mkdir -p "$home/conf"
  for file in "$root"/nginx/*.conf; do ln -sfn "$file" "$home/conf/${file##*/}"; done
  rm -f "$home/conf/place.conf"
  {
    write_upstream publishers publisher "include kept.conf;"
    write_upstream gateways gateway "include kept.conf;"
    write_upstream sockets socket-gateway "least_conn;"
    write_upstream box_offices gateway "include kept.conf;" box_office_port
    echo "set_real_ip_from 127.0.0.1;"
    . "$home/env"
    echo "server { listen 127.0.0.1:$listen_port backlog=4096 reuseport; include shop.conf; }"
    echo "server { listen 127.0.0.1:$box_office_port backlog=4096 reuseport; include box-office.conf; }"
    echo "server { listen 127.0.0.1:$inner_port; include inner.conf; }"
  } >"$home/conf/place.conf"
  # Workers of a user who may not see this folder could not write there.
  if [ "$(id -u)" = 0 ]; then options="user root; $options"; fi
  echo "exec nginx -p '$home/' -c '$home/conf/nginx.conf' -g '$options' \"\$@\"" >"$home/run"
}

# One that runs reads its files anew, and no connection ends.
start_nginx() {
  if running "$dir" nginx >/dev/null; then
    (cd "$dir/nginx" && bash ./run -s reload >>log 2>&1) || { show_log "$dir" nginx "does not read its files"; return 1; }
  fi
  start_part "$dir" nginx
}

migrate() {
  (
    set -a
    . "$dir/fleet.env"
    "$bin/miaosha" migrate --world cluster
  )
}

up() {
  local servers_job part
  bash "$here/install.sh"
  trap 'wait; down; exit 130' INT TERM HUP
  setsid bash "$here/servers.sh" up "$dir" &
  servers_job=$!
  build || { wait; down; fail "the build failed"; }
  wait "$servers_job" || fail "no servers"
  prepare_fleet
  migrate || { down; fail "the migration failed"; }

  for_all end_part "$dir" TERM "${services[@]}"
  for part in "${services[@]}"; do prepare_service "$part"; done
  if ! for_all start_part "$dir" - "${services[@]}"; then
    down
    fail "the services in $dir could not be started"
  fi
  prepare_nginx
  start_nginx || { down; fail "nginx could not be started"; }
  printf '%s\n' redis-1 redis-2 redis-3 rabbitmq mariadb mariadb-replica "${services[@]}" nginx >"$dir/parts"
  write_state "$dir"
  trap - INT TERM HUP
  tell
}

tell() {
  local part listen_port inner_port box_office_port
  . "$dir/nginx/env"
  echo "The fleet is up: http://127.0.0.1:$listen_port   Its box office: http://127.0.0.1:$box_office_port"
  for part in nginx "${services[@]}"; do
    listen_port='' inner_port=''
    . "$dir/$part/env"
    printf '  %-18s  %-22s  probes and metrics: http://127.0.0.1:%s\n' \
      "$part" "${listen_port:+http://127.0.0.1:$listen_port}" "$inner_port"
  done
  echo "Parts: $dir/state.json   Logs: $dir/*/log"
  echo "To speak to it from a shell: set -a; . $dir/fleet.env; set +a"
}

down() {
  end_part "$dir" nginx TERM
  for_all end_part "$dir" TERM "${services[@]}"
  bash "$here/servers.sh" down "$dir"
}

[ $# -ge 1 ] && [ $# -le 2 ] || fail "usage: fleet.sh up|down [DIR]"
dir=${2:-$root/.fleet}
case $1 in
  up)
    check_dir_name "$dir"
    dir=$(world_dir "$dir")
    check_dir_name "$dir"
    up
    ;;
  down)
    [ -d "$dir" ] || exit 0
    dir=$(cd "$dir" && pwd)
    down
    ;;
  *) fail "up or down, not '$1'" ;;
esac
