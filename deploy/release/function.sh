#!/usr/bin/env bash
# function.sh FUNCTION ZIP PAYLOAD: a new version of a Lambda function behind its alias `live`. The version is called once, by
# itself, with a payload that costs nothing; only then the alias moves to it, and back again when the function's alarm
# (FUNCTION-errors, where there is one) rings within five minutes. Needs aws, jq.
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: function.sh FUNCTION ZIP PAYLOAD" >&2; exit 2; }
function=$1
zip=$2
payload=$3
looks=20

before=$(aws lambda get-alias --function-name "$function" --name live --query FunctionVersion --output text)
aws lambda update-function-code --function-name "$function" --zip-file "fileb://$zip" --output text --query CodeSha256
aws lambda wait function-updated-v2 --function-name "$function"
version=$(aws lambda publish-version --function-name "$function" --query Version --output text)
aws lambda wait published-version-active --function-name "$function" --qualifier "$version"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
failed=$(aws lambda invoke --function-name "$function" --qualifier "$version" --payload "$payload" \
  --cli-binary-format raw-in-base64-out --query FunctionError --output text "$answer")
if [ "$failed" != None ]; then
  echo "function.sh: $function version $version fails; the alias stays at $before" >&2
  exit 1
fi
aws lambda update-alias --function-name "$function" --name live --function-version "$version" --output text --query AliasArn
for _ in $(seq $looks); do
  sleep 15
  alarm=$(aws cloudwatch describe-alarms --alarm-names "$function-errors" --query 'MetricAlarms[0].StateValue' --output text)
  if [ "$alarm" = ALARM ]; then
    aws lambda update-alias --function-name "$function" --name live --function-version "$before" --output text --query AliasArn
    echo "function.sh: $function version $version rang its alarm; the alias is back at $before" >&2
    exit 1
  fi
done
echo "$function: live is version $version"
