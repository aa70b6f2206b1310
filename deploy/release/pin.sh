#!/usr/bin/env bash
# pin.sh [FILE…]: writes behind the version of each foreign image its digest, as its registry tells it now: what is pulled later is
# what was looked at today, whoever moves the version. Of docker-compose.yml, the Dockerfile and the workflows, or of these files.
# What has a digest already is left alone; for a new one, take the old away. Needs docker with buildx, and a way to the registry.
# A digest is the list's of all architectures, so that one line fits them all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -gt 0 ] || set -- docker-compose.yml deploy/Dockerfile .github/workflows/*.yml
named='(image: |FROM |container: )[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9._-]+'
images=$(grep -hoE "$named( |\$)" "$@" | sed -E 's/^(image: |FROM |container: )//; s/ $//' | sort -u || true)
for image in $images; do
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "pin.sh: the registry has no digest of $image: '$digest'" >&2; exit 1; }
  sed -i -E "s#((image: |FROM |container: )${image//./\\.})( |\$)#\1@$digest\3#" "$@"
  echo "$image@$digest"
done
