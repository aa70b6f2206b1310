#!/bin/bash
# Every five seconds: does the process still answer, and is this instance to stay?
set -u
silent=0
while sleep 5; do
  if [ "$(systemctl is-active miaosha.service)" != active ]; then
    silent=0
  elif curl --silent --fail --max-time 3 --output /dev/null 'http://127.0.0.1:${inner_port}/livez'; then
    silent=0
  else
    # A minute: it may still be starting, or draining.
    silent=$((silent + 1))
    if [ "$silent" -ge 12 ]; then
      echo "no answer on /livez for a minute: starting it anew"
      silent=0
      systemctl kill --signal=KILL miaosha.service
      docker kill miaosha >/dev/null 2>&1
    fi
  fi
%{ if leaves_early ~}
  # Its connections would be cut all at once when the balancer has waited long enough; told in time, it sends its clients away
  # one by one.
  token=$(curl --silent --fail --max-time 2 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) || continue
  state=$(curl --silent --fail --max-time 2 --header "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/autoscaling/target-lifecycle-state) || continue
  if [ "$state" = Terminated ]; then
    echo "this instance is about to go: stopping"
    systemctl stop miaosha.service
  fi
%{ endif ~}
done
