#!/usr/bin/env bash
# part.sh start|stop|await|kill|wipe|pause|resume DIR PART: one part of a private world (see lib.sh), by its recorded process only.
#   start  same port, same data; returns when the part is ready. A part that runs is left as it is.
#   stop   SIGTERM; returns when it has ended. A Redis master writes its dump first.
#   await  returns when it has ended by itself.
#   kill   kill -9. A Redis master comes back with its last dump, if there is one: older than what it had told.
#   wipe   kill -9, and its dump is removed: a Redis master comes back empty. Nothing is started.
#   pause  SIGSTOP: it is there and says nothing, until `resume`. Nothing else is done to a part meanwhile.
set -euo pipefail
umask 077
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ $# -eq 3 ] || fail "usage: part.sh start|stop|await|kill|wipe|pause|resume DIR PART"
dir=$(cd "$2" && pwd)
part=$3
[ -d "$dir/$part" ] || fail "no part '$part' in $dir"

case $1 in
  start) start_part "$dir" "$part" ;;
  stop) end_part "$dir" "$part" TERM ;;
  await) end_part "$dir" "$part" 0 ;;
  kill) end_part "$dir" "$part" KILL ;;
  wipe)
    [ "$(kind_of "$part")" = redis ] || fail "only a Redis master can be wiped"
    end_part "$dir" "$part" KILL
    rm -f "$dir/$part/dump.rdb"
    ;;
  pause) signal_part "$dir" "$part" STOP ;;
  resume) signal_part "$dir" "$part" CONT ;;
  *) fail "start, stop, await, kill, wipe, pause or resume, not '$1'" ;;
esac
