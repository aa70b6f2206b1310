#!/usr/bin/env bash
# migrate.sh FLEET IMAGE: brings the ledger's schema up to date, on the operator's instance of the fleet, which reaches the
# database. Migrations only add: services of the version before go on working beside them. Needs aws, jq.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: migrate.sh FLEET IMAGE" >&2; exit 2; }
# The image's name is put into a command: nothing in it may be one.
case $2 in
  *[!A-Za-z0-9./:@_-]*) echo "migrate.sh: '$2' is no image's name" >&2; exit 2 ;;
esac
repository=${2%@*}
[ "$repository" != "$2" ] || repository=${2%:*}
# The instance's own command, with this image in the place of the one it was made with. Migrating is the master's.
run="sed \"s#'$repository[:@][^']*'#'$2'#g\" /usr/local/sbin/miaosha >/run/miaosha-migrate \
  && grep -qF \"'$2'\" /run/miaosha-migrate && MIAOSHA_AS=master bash /run/miaosha-migrate migrate"
command=$(aws ssm send-command --document-name AWS-RunShellScript --comment "migrate to $2" --timeout-seconds 120 \
  --targets "Key=tag:Name,Values=$1-operator" --max-errors 0 \
  --parameters "$(jq --null-input --arg run "$run" '{commands: [$run], executionTimeout: ["900"]}')" \
  --query Command.CommandId --output text)
for _ in $(seq 70); do
  sleep 15
  state=$(aws ssm list-command-invocations --command-id "$command" --details --output json)
  case $(jq --raw-output '[.CommandInvocations[].Status] | join(" ")' <<<"$state") in
    Success) echo "the schema is that of $2"; exit 0 ;;
    '' | Pending | InProgress | Delayed) ;;
    *)
      jq --raw-output '.CommandInvocations[].CommandPlugins[].Output' <<<"$state" >&2
      exit 1
      ;;
  esac
done
echo "migrate.sh: no answer from the operator's instance" >&2
exit 1
