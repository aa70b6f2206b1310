#!/usr/bin/env bash
# function.sh FUNCTION ZIP PAYLOAD: a new version of a Lambda function behind its alias `live`. The version is called once, by
# itself, with a payload that costs nothing; only then the alias moves to it, and back again when calls of it fail within five
# minutes. Needs aws, jq.
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
began=$(date --utc +%Y-%m-%dT%H:%M:%SZ)
for _ in $(seq $looks); do
  sleep 15
  errors=$(aws cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Errors --statistics Sum --period 60 \
    --dimensions "Name=FunctionName,Value=$function" "Name=Resource,Value=$function:live" --start-time "$began" \
    --end-time "$(date --utc +%Y-%m-%dT%H:%M:%SZ)" --output json | jq '[.Datapoints[].Sum] | add // 0')
  if [ "${errors%.*}" -gt 0 ]; then
    aws lambda update-alias --function-name "$function" --name live --function-version "$before" --output text --query AliasArn
    echo "function.sh: $function version $version failed $errors times; the alias is back at $before" >&2
    exit 1
  fi
done
echo "$function: live is version $version"
