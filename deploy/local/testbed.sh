# testbed.sh: private servers for as long as the script runs that sources this, gone with it however it ends.
#   begin_servers   starts them in the background
#   begin_servers emulators   installs AWS's and the payment provider's counterparts, too, beside what is built
#   begin_servers … tls      starts others that speak TLS, too
#   await_servers   waits for them; MIAOSHA_SERVERS (the state file), the three URLs and, if they were asked for,
#                   MIAOSHA_EMULATORS (their folder) and MIAOSHA_TLS (the folder of those that speak TLS) are in the environment then
#   step COMMAND…   runs one step in the foreground, says its name and how long it took
# Their folder is $bed, a temporary one; it stays behind, with the logs, if the script fails.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

bed=$(mktemp -d "${TMPDIR:-/tmp}/miaosha-XXXXXX")
servers_job=''
step_group=''

leave() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP
  if [ -n "$step_group" ]; then
    kill -s TERM -- "-$step_group" 2>/dev/null || true
    wait "$step_group" || true
    kill -s KILL -- "-$step_group" 2>/dev/null || true
  fi
  if [ -n "$servers_job" ]; then
    wait "$servers_job" || true
    bash "$here/fleet.sh" down "$bed/by-tls" || true
    bash "$here/fleet.sh" down "$bed" || true
  fi
  if [ "$code" = 0 ]; then
    rm -rf "$bed"
  else
    echo "${0##*/}: failed ($code); the servers are down, what they said is in $bed/*/log" >&2
  fi
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

begin_servers() { # [emulators] [tls]
  local emulators='' tls=''
  bash "$here/install.sh"
  case " $* " in *" emulators "*) emulators=yes ;; esac
  case " $* " in *" tls "*) tls=yes ;; esac
  if [ -n "$tls" ]; then export MIAOSHA_TLS=$bed/by-tls; fi
  if [ -n "$emulators" ]; then
    export MIAOSHA_EMULATORS="${CARGO_TARGET_DIR:-$root/target}/emulators"
    mkdir -p "${MIAOSHA_EMULATORS%/*}"
  fi
  # shellcheck disable=SC2016
  setsid bash -c '[ -z "$3" ] || bash "$1/emulators.sh" "$MIAOSHA_EMULATORS" || exit 1
    [ -z "$4" ] || bash "$1/servers.sh" up "$2/by-tls" tls || exit 1
    exec bash "$1/servers.sh" up "$2"' begin "$here" "$bed" "$emulators" "$tls" &
  servers_job=$!
}

await_servers() {
  wait "$servers_job"
  . "$bed/state.env"
}

# A group of its own, so that a signal to this script can end all of the step, down to the last test process.
step() { # COMMAND…
  local code=0 begun=$SECONDS
  echo "==> $*"
  setsid "$@" </dev/null &
  step_group=$!
  wait "$step_group" || code=$?
  step_group=''
  echo "<== $((SECONDS - begun)) s: $*"
  return $code
}
