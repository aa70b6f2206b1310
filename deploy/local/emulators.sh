#!/usr/bin/env bash
# emulators.sh DIR [REQUIREMENTS]: AWS (moto) and the payment provider (localstripe) in a Python environment of their own in DIR; the
# versions are those of requirements.txt, or of another list beside it. Done again, it finds everything there. Starts nothing.
# A list is made of the .in of the same name, and has the hash of each file: what is not the very file that was locked is not
# installed. All of them are built already but localstripe, whose builder is of a list of its own, so that none is fetched unseen.
set -euo pipefail
dir=$1
here=$(dirname "${BASH_SOURCE[0]}")
wanted=$here/${2:-requirements.txt}
if cmp -s "$wanted" "$dir/installed.txt"; then exit 0; fi
echo "installing what ${wanted##*/} names into $dir"
python3 -m venv "$dir"
install() { "$dir/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: "$@"; }
install --requirement "$here/requirements-build.txt"
install --no-binary localstripe --no-build-isolation --requirement "$wanted"
cp "$wanted" "$dir/installed.txt"
