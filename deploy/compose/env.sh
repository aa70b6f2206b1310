#!/usr/bin/env bash
# env.sh [FILE=.env]: makes the secrets that docker-compose.yml asks for, new ones, readable by their owner only. A file that is
# there already is left as it is: data that were written under its passwords could not be opened with others.
set -euo pipefail
umask 077
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
file=${1:-.env}
if [ -e "$file" ]; then
  echo "env.sh: $file is there already; it was not touched" >&2
  exit 1
fi
command -v openssl >/dev/null || { echo "env.sh: openssl is not installed" >&2; exit 1; }
# Of the pair whose seed this is: openssl takes it as PKCS #8, and ends its answer with what is asked for.
public() {
  printf "$(printf '302e020100300506032b657004220420%s' "$1" | sed 's/../\\x&/g')" |
    openssl pkey -inform DER -pubout -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n'
}
hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
{
  echo "# Made by deploy/compose/env.sh. Never to be committed."
  for name in MYSQL_ROOT_PASSWORD MYSQL_PASSWORD MYSQL_REPLICATION_PASSWORD MYSQL_EXPORTER_PASSWORD \
    REDIS_PASSWORD RABBITMQ_PASSWORD GRAFANA_PASSWORD; do
    echo "$name=$(hex 16)"
  done
  admission="admission:$(hex 4):$(hex 32)" kid=$(hex 4) seed=$(hex 32)
  public=$(public "$seed")
  echo "TOKEN_KEYS=access:$kid:$seed,checkout:$(hex 4):$(hex 32),$admission"
  echo "ADMISSION_KEYS=$admission"
  echo "ACCESS_PUBLIC_KEYS=access-public:$kid:$public"
  echo "RECEIPT_KEYS=r1:$(hex 32)"
  echo "# No money moves. With Stripe: false, and STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS."
  echo "SANDBOX=true"
} >"$file.new"
mv "$file.new" "$file"
echo "$file is made"
