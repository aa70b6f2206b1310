# redis-cluster.sh ADDRESS…: makes one cluster of these masters, unless they are one already, and waits until it is whole.
set -eu
export REDISCLI_AUTH="${REDIS_PASSWORD:?}"
whole() {
  for address; do
    redis-cli -h "${address%:*}" -p "${address#*:}" cluster info | grep -q '^cluster_state:ok' || return 1
  done
}
whole "$@" || redis-cli --cluster create "$@" --cluster-replicas 0 --cluster-yes
tries=0
until whole "$@"; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "the cluster does not become whole" >&2; exit 1; }
  sleep 1
done
