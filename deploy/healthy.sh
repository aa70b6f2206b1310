#!/usr/bin/env bash
# healthy.sh: whether the service in this container is ready, by nothing but bash. Its inner port is asked for /readyz.
listen=${MIAOSHA__PROCESS__INNER_LISTEN:?the inner port must be set}
exec 3<>"/dev/tcp/127.0.0.1/${listen##*:}" || exit 1
printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 status <&3
while read -r -t 2 <&3; do :; done
case $status in
  HTTP/1.?' 200'*) exit 0 ;;
  *) exit 1 ;;
esac
