# lib.sh: what the scripts of this folder share; sourced, it only defines functions.
#
# A folder DIR holds one private world. Each part of it (redis-1, rabbitmq, publisher-2, …) has
#   DIR/PART/run     a script that becomes the part's process (exec)
#   DIR/PART/env     what the scripts must know of it (its ports)
#   DIR/PART/log     what it says
#   DIR/run/PART.pid, PART.born   its process now, and when that began
# A process is touched only if its pid and its start both fit, so a number the system has given away again is safe.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

random_hex() { # BYTES
  od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# The folder as an absolute path, made if need be. Its name goes into JSON, SQL options and Erlang terms as it is.
world_dir() { # DIR
  mkdir -p "$1" && cd "$1" >/dev/null && pwd || return 1
}
check_dir_name() { # DIR
  case $1 in *[!A-Za-z0-9/._@+-]*) fail "please use a folder with a plainer name than '$1'" ;; esac
}

kind_of() { # PART
  echo "${1%-[0-9]*}"
}

# ---- ports

listens() { # PORT
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The first of so many consecutive free ports. They lie below the range from which the system gives out ports by itself,
# and away from the servers' default ones. Beginning at a place that follows from the pid keeps two scripts that
# look at the same moment apart.
free_ports() { # [COUNT]
  local count=${1:-16} try base port
  for try in {0..499}; do
    base=$((17000 + ($$ + try * 7) % (8000 / count) * count))
    for port in $(seq "$base" $((base + count - 1))); do
      if listens "$port"; then continue 2; fi
    done
    echo "$base"
    return
  done
  fail "no $count free ports in a row between 17000 and 25000"
}

# ---- processes

# When the process began (clock ticks since boot). A zombie is no process.
born() { # PID
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [ "${fields[0]}" != Z ] && echo "${fields[19]}"
}

# The part's pid, if it runs.
running() { # DIR PART
  local pid was
  { read -r pid <"$1/run/$2.pid" && read -r was <"$1/run/$2.born"; } 2>/dev/null || return 1
  [ "$(born "$pid")" = "$was" ] && echo "$pid"
}

# In a session of its own and without what its starter has open: it outlives the starter and holds nothing of it.
launch() { # DIR PART
  local pid
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ] && [ "$fd" -ne 255 ]; then eval "exec $fd>&-"; fi
    done
    cd "$1/$2"
    exec setsid bash ./run </dev/null >>log 2>&1
  ) &
  pid=$!
  born "$pid" >"$1/run/$2.born" || true
  echo "$pid" >"$1/run/$2.pid.new"
  mv "$1/run/$2.pid.new" "$1/run/$2.pid"
}

start_part() { # DIR PART
  local dir=$1 part=$2 seconds=90 give_up
  [ -f "$dir/$part/run" ] || fail "no part '$part' in $dir"
  exec 9>"$dir/run/$part.lock"
  flock 9
  running "$dir" "$part" >/dev/null || launch "$dir" "$part"
  give_up=$((SECONDS + seconds))
  until part_ready "$dir" "$part" && running "$dir" "$part" >/dev/null; do
    if ! running "$dir" "$part" >/dev/null; then
      show_log "$dir" "$part" "ended by itself"
      return 1
    elif [ $SECONDS -ge $give_up ]; then
      show_log "$dir" "$part" "is not ready after $seconds s"
      return 1
    fi
    sleep 0.05
  done
  exec 9>&-
}

show_log() { # DIR PART WHAT
  echo "$2 $3; the end of $1/$2/log:" >&2
  tail -n 25 "$1/$2/log" | sed 's/^/    /' >&2
}

signal_part() { # DIR PART SIGNAL
  local pid
  pid=$(running "$1" "$2") || fail "$2 does not run"
  kill -s "$3" "$pid"
}

# SIGNAL, and KILL when the part has not ended in time.
end_part() { # DIR PART SIGNAL
  local pid give_up=$((SECONDS + 40))
  pid=$(running "$1" "$2") || return 0
  # nginx's workers would go on without their master, and keep its door.
  if [ "$2$3" = nginxKILL ]; then kill -s KILL -- "-$pid" 2>/dev/null || true; fi
  kill -s "$3" "$pid" 2>/dev/null || true
  while running "$1" "$2" >/dev/null; do
    if [ $SECONDS -ge $give_up ]; then
      echo "$2 does not end on $3: killing it" >&2
      kill -s KILL "$pid" 2>/dev/null || true
      give_up=$((SECONDS + 40))
    fi
    sleep 0.02
  done
}

# Runs "COMMAND DIR PART [ARGUMENT]" for many parts at once; false if one of them failed.
for_all() { # COMMAND DIR ARGUMENT PART…
  local command=$1 dir=$2 argument=$3 part jobs=() job ok=0
  shift 3
  for part in "$@"; do
    "$command" "$dir" "$part" "$argument" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || ok=1; done
  return $ok
}

# ---- readiness

part_ready() { # DIR PART
  local listen_port='' inner_port='' tls_ca=''
  . "$1/$2/env"
  case $2 in
    redis-*) redis-cli -p "$listen_port" ${tls_ca:+-h localhost --tls --cacert "$tls_ca"} cluster info 2>/dev/null | grep -q '^cluster_state:ok' ;;
    epmd) listens "$listen_port" ;;
    rabbitmq) ${tls_ca:+by_tls "$tls_ca"} greets "$listen_port" 'AMQP\x00\x00\x09\x01' ;;
    mariadb | mariadb-replica) greets "$listen_port" '' ;;
    *) answers_ready "$inner_port" ;;
  esac
}

# An AMQP broker answers the protocol header, a MySQL server speaks first: either says its first byte once it is up.
greets() { # PORT HEADER
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf "$2" >&3
    read -r -N 1 -t 2 <&3
  ) 2>/dev/null
}

# The same through a tunnel: `by_tls CA greets PORT HEADER`.
by_tls() { # CA greets PORT HEADER
  local said
  said=$( (printf "$4"; sleep 0.3) | timeout 3 openssl s_client -quiet -no_ign_eof -connect "localhost:$3" \
    -verify_return_error -CAfile "$1" 2>/dev/null | od -An -N1 -tx1) || true
  [ -n "$said" ]
}

answers_ready() { # PORT
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    read -r -t 2 status <&3
    while read -r -t 2 <&3; do :; done
    case $status in HTTP/1.?' 200'*) exit 0 ;; *) exit 1 ;; esac
  ) 2>/dev/null
}

# ---- the state file

# DIR/parts lists the parts in the order they are told. Everything else is in their env files.
write_state() { # DIR
  local dir=$1 part separator='' listen_port inner_port
  . "$dir/state.env"
  {
    printf '{\n  "dir": "%s",\n' "$dir"
    printf '  "redis_url": "%s",\n' "$MIAOSHA_REDIS_URL"
    printf '  "rabbit_url": "%s",\n' "$MIAOSHA_RABBIT_URL"
    printf '  "mysql_url": "%s",\n' "$MIAOSHA_MYSQL_URL"
    printf '  "mysql_replica_url": "%s",\n' "$MIAOSHA_MYSQL_REPLICA_URL"
    printf '  "parts": ['
    while read -r part; do
      listen_port='' inner_port=''
      . "$dir/$part/env"
      printf '%s\n    {"name": "%s", "kind": "%s", "dir": "%s/%s", "log": "%s/%s/log", "pid_file": "%s/run/%s.pid",\n' \
        "$separator" "$part" "$(kind_of "$part")" "$dir" "$part" "$dir" "$part" "$dir" "$part"
      if [ -n "$inner_port" ]; then
        if [ -n "$listen_port" ]; then printf '     "url": "http://127.0.0.1:%s",' "$listen_port"; else printf '    '; fi
        printf ' "inner_url": "http://127.0.0.1:%s",\n' "$inner_port"
      else
        printf '     "port": %s,\n' "$listen_port"
      fi
      printf '     "start": ["bash", "%s/part.sh", "start", "%s", "%s"]}' "$here" "$dir" "$part"
      separator=,
    done <"$dir/parts"
    printf '\n  ]\n}\n'
  } >"$dir/state.json.new"
  mv "$dir/state.json.new" "$dir/state.json"
}
