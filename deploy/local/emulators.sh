#!/usr/bin/env bash
# emulators.sh DIR [REQUIREMENTS]: AWS (moto) and the payment provider (localstripe) in a Python environment of their own in DIR; the
# versions are those of requirements.txt, or of another list beside it. Done again, it finds everything there. Starts nothing.
set -euo pipefail
dir=$1
wanted=$(dirname "${BASH_SOURCE[0]}")/${2:-requirements.txt}
if cmp -s "$wanted" "$dir/installed.txt"; then exit 0; fi
echo "installing what ${wanted##*/} names into $dir"
python3 -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$dir/installed.txt"
