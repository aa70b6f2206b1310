#!/usr/bin/env bash
# servers.sh up DIR [tls] | down DIR: private servers on free loopback ports, everything they write below DIR.
#   Redis Cluster of 3 masters (redis-1..3), RabbitMQ (rabbitmq, with its own epmd), MariaDB (mariadb) and a copy of it that
#   follows (mariadb-replica): of the fleet's database, and of those whose names begin with miaosha_replica, which tests make.
# With `tls` all of them speak TLS, and RabbitMQ and Redis nothing else; a folder that began so goes on so.
# `up` returns when all are ready, and has written DIR/state.json and DIR/state.env. Done again on the same folder,
# it starts what does not run, on the same ports with the same data. `down` ends them and keeps the folder.
set -euo pipefail
umask 077
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/tls.sh"

servers=(redis-1 redis-2 redis-3 epmd rabbitmq mariadb mariadb-replica)

# A part's run script appears last: where it is, the part is complete.
write_run() { # PART LINE…
  local part=$1
  shift
  printf '%s\n' "$@" >"$dir/$part/run.new"
  mv "$dir/$part/run.new" "$dir/$part/run"
}

# The cluster is written down instead of being negotiated: each master starts with the others and its slots.
prepare_redis() { # NUMBER
  local me=$1 n flags slots=(- 0-5460 5461-10922 10923-16383)
  for n in 1 2 3; do
    flags=master
    if [ "$n" = "$me" ]; then flags=myself,master; fi
    echo "${redis_ids[n]} 127.0.0.1:$((base + n))@$((base + 3 + n)) $flags - 0 0 $n connected ${slots[n]}"
  done >"$dir/redis-$me/nodes.conf"
  echo "vars currentEpoch 3 lastVoteEpoch 0" >>"$dir/redis-$me/nodes.conf"

  # Nothing is saved by itself: the turnstile may be lost. A dump is read if there is one, so that a test can bring
  # an older state back; a stop writes one, a kill does not.
  cat >"$dir/redis-$me/redis.conf" <<END
bind 127.0.0.1
port $((base + me))
cluster-enabled yes
cluster-port $((base + 3 + me))
cluster-config-file nodes.conf
cluster-node-timeout 5000
cluster-require-full-coverage no
dir $dir/redis-$me
save ""
appendonly no
shutdown-on-sigterm save
maxmemory-policy noeviction
END
  echo "listen_port=$((base + me))" >"$dir/redis-$me/env"
  write_run "redis-$me" "exec redis-server '$dir/redis-$me/redis.conf'"
}

prepare_epmd() {
  echo "listen_port=$((base + 9))" >"$dir/epmd/env"
  write_run epmd "exec epmd -address 127.0.0.1 -port $((base + 9))"
}

# Debian's wrapper insists on its own user and folders; the script below it does not.
prepare_rabbitmq() {
  local server=/usr/lib/rabbitmq/bin/rabbitmq-server home=$dir/rabbitmq
  [ -x $server ] || fail "there is no $server"
  cat >"$home/rabbitmq.config" <<END
[{rabbit, [{tcp_listeners, [{"127.0.0.1", $((base + 7))}]}]},
 {rabbitmq_prometheus, [{tcp_config, [{ip, "127.0.0.1"}, {port, $((base + 15))}]}, {return_per_object_metrics, true}]},
 {kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].
END
  # Its figures, for deploy/local/observability.py.
  echo "[rabbitmq_prometheus]." >"$home/enabled_plugins"
  # Exported, these also let rabbitmqctl find the node.
  cat >"$home/env" <<END
listen_port=$((base + 7))
figures_port=$((base + 15))
rabbitmq_environment() {
  export HOME='$home' ERL_EPMD_PORT=$((base + 9)) ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_NODENAME=miaosha@localhost RABBITMQ_DIST_PORT=$((base + 8)) RABBITMQ_CONF_ENV_FILE=/dev/null
  export RABBITMQ_CONFIG_FILE='$home/rabbitmq.config' RABBITMQ_ENABLED_PLUGINS_FILE='$home/enabled_plugins'
  export RABBITMQ_MNESIA_BASE='$home/mnesia' RABBITMQ_LOG_BASE='$home/logs' RABBITMQ_LOGS=-
}
END
  # Told that it is supervised, the script becomes the broker instead of staying beside it: one pid, its own signals.
  write_run rabbitmq ". '$home/env'" rabbitmq_environment "export RUNNING_UNDER_SYSTEMD=true" "exec $server"
}

# What both have. A tmpdir of its own: at its start, MariaDB removes what look like left temporary tables from there, and would
# remove another server's living ones from a shared one.
mariadb_options() { # PART PORT
  local home=$dir/$1
  mkdir -p "$home/tmp"
  cat <<END
[mysqld]
datadir = $home/data
tmpdir = $home/tmp
socket = mariadb.sock
pid-file = $home/mariadb.pid
port = $2
bind-address = 127.0.0.1
skip-name-resolve
init-file = $home/init.sql
character-set-server = utf8mb4
max_connections = 500
max_prepared_stmt_count = 1048576
END
  if [ "$(id -u)" = 0 ]; then echo "user = root"; fi
}

install_mariadb() { # PART
  rm -rf "$dir/$1/data"
  mariadb-install-db --defaults-file="$dir/$1/my.cnf" --skip-test-db >"$dir/$1/log" 2>&1 \
    || { show_log "$dir" "$1" "could not be installed"; return 1; }
}

prepare_mariadb() {
  local home=$dir/mariadb
  mariadb_options mariadb $((base + 10)) >"$home/my.cnf"
  # With a log of commits, that log decides after a crash of the machine which of them there were: it is synced like the commits.
  cat >>"$home/my.cnf" <<END
innodb_flush_log_at_trx_commit = 1
innodb_buffer_pool_size = 256M
server-id = 1
log-bin = binlog
binlog-format = ROW
sync_binlog = 1
END
  cat >"$home/init.sql" <<END
CREATE USER IF NOT EXISTS miaosha@'%' IDENTIFIED BY '$password';
GRANT ALL ON \`miaosha%\`.* TO miaosha@'%';
CREATE USER IF NOT EXISTS replica@'127.0.0.1' IDENTIFIED BY '$replica_password';
GRANT REPLICATION SLAVE ON *.* TO replica@'127.0.0.1';
CREATE DATABASE IF NOT EXISTS miaosha;
END
  echo "listen_port=$((base + 10))" >"$home/env"
  install_mariadb mariadb || return 1
  write_run mariadb "exec mariadbd --defaults-file='$home/my.cnf'"
}

# It begins with nothing, like its primary, and reads that one's log from the first word. Where it is it keeps in a table, in the
# transactions themselves: after a kill it goes on from there. Other databases of the tests would only make it work.
prepare_mariadb-replica() {
  local home=$dir/mariadb-replica
  mariadb_options mariadb-replica $((base + 11)) >"$home/my.cnf"
  cat >>"$home/my.cnf" <<END
innodb_flush_log_at_trx_commit = 2
innodb_buffer_pool_size = 64M
server-id = 2
read-only = 1
skip-slave-start
replicate-wild-do-table = miaosha.%
replicate-wild-do-table = miaosha\_replica%.%
END
  cat >"$home/init.sql" <<END
CREATE USER IF NOT EXISTS miaosha_reads@'%' IDENTIFIED BY '$password';
GRANT SELECT ON \`miaosha%\`.* TO miaosha_reads@'%';
CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = $((base + 10)), MASTER_USER = 'replica',
  MASTER_PASSWORD = '$replica_password', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 2;
START SLAVE;
END
  echo "listen_port=$((base + 11))" >"$home/env"
  install_mariadb mariadb-replica || return 1
  write_run mariadb-replica "exec mariadbd --defaults-file='$home/my.cnf'"
}

prepare_and_start() { # DIR PART
  if [ ! -f "$dir/$2/run" ]; then
    mkdir -p "$dir/$2"
    case $2 in
      redis-*) prepare_redis "${2#redis-}" ;;
      *) "prepare_$2" ;;
    esac
    [ ! -d "$dir/tls" ] || speak_tls "$2"
  fi
  start_part "$dir" "$2"
}

up() {
  local program
  for program in redis-server redis-cli epmd mariadbd mariadb-install-db; do
    command -v $program >/dev/null || fail "there is no $program: see deploy/local/install.sh"
  done
  mkdir -p "$dir/run"
  if [ ! -f "$dir/secret.env" ]; then
    {
      echo "base=$(free_ports)"
      echo "password=$(random_hex 16)"
      echo "replica_password=$(random_hex 16)"
      echo "redis_ids=(- $(random_hex 20) $(random_hex 20) $(random_hex 20))"
    } >"$dir/secret.env.new"
    mv "$dir/secret.env.new" "$dir/secret.env"
  fi
  . "$dir/secret.env"
  [ -n "${replica_password:-}" ] || fail "$dir was made when there was no replica: end what runs there, and remove it"
  # What is being started is first let finish: only then is every process on record.
  trap 'wait; down; exit 130' INT TERM HUP
  if ! for_all prepare_and_start "$dir" - "${servers[@]}"; then
    down
    fail "the servers in $dir could not be started"
  fi
  trap - INT TERM HUP

  cat >"$dir/state.env" <<END
export MIAOSHA_SERVERS='$dir/state.json'
export MIAOSHA_REDIS_URL='redis-cluster://127.0.0.1:$((base + 1))?node=127.0.0.1:$((base + 2))&node=127.0.0.1:$((base + 3))'
export MIAOSHA_RABBIT_URL='amqp://guest:guest@127.0.0.1:$((base + 7))/%2f'
export MIAOSHA_MYSQL_URL='mysql://miaosha:$password@127.0.0.1:$((base + 10))/miaosha'
export MIAOSHA_MYSQL_REPLICA_URL='mysql://miaosha_reads:$password@127.0.0.1:$((base + 11))/miaosha'
END
  [ ! -d "$dir/tls" ] || tell_tls
  [ -f "$dir/parts" ] || printf '%s\n' redis-1 redis-2 redis-3 rabbitmq mariadb mariadb-replica >"$dir/parts"
  write_state "$dir"
}

# The broker says goodbye to epmd, so epmd goes last.
down() {
  for_all end_part "$dir" TERM redis-1 redis-2 redis-3 rabbitmq mariadb mariadb-replica
  end_part "$dir" epmd TERM
}

[ $# -eq 2 ] || [ "$1 ${3:-}" = "up tls" ] || fail "usage: servers.sh up DIR [tls] | down DIR"
case $1 in
  up)
    check_dir_name "$2"
    dir=$(world_dir "$2")
    check_dir_name "$dir"
    [ $# -eq 2 ] || make_certificates
    up
    ;;
  down)
    dir=$(cd "$2" && pwd)
    down
    ;;
  *) fail "up or down, not '$1'" ;;
esac
