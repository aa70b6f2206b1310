#!/bin/bash
# miaosha COMMAND…: an operator's command against the fleet, with the secrets of this moment. As root.
# MIAOSHA_AS=master runs it as the ledger's master, for `migrate`.
set -euo pipefail
umask 077
env=$(mktemp /run/miaosha.XXXXXX)
trap 'rm -f "$env"' EXIT
cp /etc/miaosha/settings "$env"
while read -r name arn; do
  case $name in
    MASTER__*) [ "$${MIAOSHA_AS:-}" = master ] || continue; name=$${name#MASTER__} ;;
    MIAOSHA__MYSQL__URL) [ "$${MIAOSHA_AS:-}" != master ] || continue ;;
  esac
  value=$(aws secretsmanager get-secret-value --region '${region}' --secret-id "$arn" --query SecretString --output text)
  printf '%s=%s\n' "$name" "$value" >>"$env"
done </etc/miaosha/secrets
%{ if registry != "" ~}
aws ecr get-login-password --region '${region}' | docker login --username AWS --password-stdin '${registry}' >/dev/null
%{ endif ~}
docker run --rm --interactive --network host --env-file "$env" --volume /etc/miaosha/ca.pem:/etc/miaosha/ca.pem:ro '${image}' "$@" --world cluster
