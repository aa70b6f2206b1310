#!/usr/bin/env bash
# refresh.sh GROUP IMAGE: has every instance of an Auto Scaling group run IMAGE (REPOSITORY:VERSION or REPOSITORY@DIGEST): a new
# version of its launch template, then a rolling instance refresh that goes back by itself when new instances do not become
# healthy or the
# group's alarm (GROUP-refresh) rings. Returns when it is through; fails when it went back. Needs aws, jq, python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 2 ] || { echo "usage: refresh.sh GROUP IMAGE" >&2; exit 2; }
group=$1
image=$2
repository=${image%@*}
[ "$repository" != "$image" ] || repository=${image%:*}
minutes_max=60

found=$(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" --output json)
template=$(jq --exit-status --raw-output '.AutoScalingGroups[0].LaunchTemplate.LaunchTemplateId' <<<"$found")
version=$(jq --exit-status --raw-output '.AutoScalingGroups[0].LaunchTemplate.Version' <<<"$found")
case $version in
  *[!0-9]*) echo "refresh.sh: $group names its template's version as $version: there would be no way back" >&2; exit 1 ;;
esac

# On standard input and into a file of its own: user data are not for the log.
data=$(mktemp)
trap 'rm -f "$data"' EXIT
aws ec2 describe-launch-template-versions --launch-template-id "$template" --versions "$version" --output text \
  --query 'LaunchTemplateVersions[0].LaunchTemplateData.UserData' \
  | python3 "$here/user-data.py" "$repository" "$image" | jq --raw-input --slurp '{UserData: .}' >"$data"
next=$(aws ec2 create-launch-template-version --launch-template-id "$template" --source-version "$version" \
  --version-description "$image" --launch-template-data "file://$data" --output text \
  --query 'LaunchTemplateVersion.VersionNumber')

refresh=$(aws autoscaling start-instance-refresh --auto-scaling-group-name "$group" --strategy Rolling \
  --desired-configuration "{\"LaunchTemplate\": {\"LaunchTemplateId\": \"$template\", \"Version\": \"$next\"}}" \
  --preferences "{\"AutoRollback\": true, \"MinHealthyPercentage\": 100, \"MaxHealthyPercentage\": 125, \"InstanceWarmup\": 90,
    \"SkipMatching\": true, \"AlarmSpecification\": {\"Alarms\": [\"$group-refresh\"]}}" \
  --output text --query InstanceRefreshId)
echo "$group: refresh $refresh, template version $version to $next"

for _ in $(seq $((minutes_max * 4))); do
  state=$(aws autoscaling describe-instance-refreshes --auto-scaling-group-name "$group" \
    --instance-refresh-ids "$refresh" --output json)
  status=$(jq --raw-output '.InstanceRefreshes[0].Status' <<<"$state")
  case $status in
    Successful)
      echo "$group: every instance runs $image"
      exit 0
      ;;
    Failed | Cancelled | RollbackSuccessful | RollbackFailed)
      echo "refresh.sh: $group: $status: $(jq --raw-output '.InstanceRefreshes[0].StatusReason // ""' <<<"$state")" >&2
      exit 1
      ;;
  esac
  sleep 15
done
echo "refresh.sh: $group: not through after $minutes_max minutes; it goes back" >&2
aws autoscaling rollback-instance-refresh --auto-scaling-group-name "$group" --output text
exit 1
