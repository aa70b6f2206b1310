#!/usr/bin/env bash
# deny.sh: what deny.toml says of licences, libraries and sources holds. First the file is tried on a small package that breaks
# each of the three, and on a made-up list of weaknesses: a rule that cannot complain is worth nothing. Installs cargo-deny beside
# what is built; starts nothing.
# deny.sh advisories: nothing is in Cargo.lock of which RustSec's list, as it is now, knows a weakness. Needs a way to the list.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

tools=${CARGO_TARGET_DIR:-$root/target}/deny
mkdir -p "${tools%/*}"
bash "$here/emulators.sh" "$tools" requirements-deny.txt
deny=$tools/bin/cargo-deny

case ${1:-} in
  '') ;;
  advisories) exec "$deny" --workspace --locked check advisories ;;
  *) fail "usage: deny.sh [advisories]" ;;
esac

bad=$(mktemp -d "${TMPDIR:-/tmp}/miaosha-XXXXXX")
trap 'rm -rf "$bad"' EXIT

package() { # FOLDER NAME LICENCE [DEPENDENCIES]
  mkdir -p "$bad/$1/src"
  touch "$bad/$1/src/lib.rs"
  printf '[package]\nname = "%s"\nversion = "1.0.0"\nlicense = "%s"\n[dependencies]\n%s\n' "$2" "$3" "${4:-}" >"$bad/$1/Cargo.toml"
}

recorded() { # FOLDER
  git -C "$bad/$1" init --quiet --initial-branch=main
  git -C "$bad/$1" add .
  git -C "$bad/$1" -c user.name=nobody -c user.email=nobody@localhost commit --quiet --message=x
}

export GIT_CONFIG_GLOBAL=/dev/null
package elsewhere elsewhere MIT
recorded elsewhere
package tls openssl-sys GPL-3.0-only
package . bad MIT "openssl-sys = { path = \"tls\" }
elsewhere = { git = \"file://$bad/elsewhere\" }"

# A home of its own, so that nothing of the bad package stays in the user's.
said=$(CARGO_HOME=$bad/home "$deny" --manifest-path "$bad/Cargo.toml" --config "$root/deny.toml" --color never \
  check licenses bans sources 2>&1) && fail "deny.toml lets a package pass that breaks every rule"
for rule in rejected banned source-not-allowed; do
  [[ $said = *"error[$rule]"* ]] || fail "deny.toml: nothing is '$rule' of a package that should be:
$said"
done

# A list in the place of RustSec's. Of ours: a weakness that the file lets pass, and one that it does not know.
weakness() { # PACKAGE ID
  mkdir -p "$bad/list/crates/$1"
  printf '```toml\n[advisory]\nid = "%s"\npackage = "%s"\ndate = "2020-01-01"\ncategories = ["crypto-failure"]\n\n[versions]\npatched = []\n```\n\n# Made up\n' \
    "$2" "$1" >"$bad/list/crates/$1/$2.md"
}
judged() {
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.file://$bad/list.insteadOf GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db \
    "$deny" --workspace --locked --config "$bad/deny.toml" --color never check --allow yanked advisories 2>&1
}
sed "s#^\[advisories\]#&\ndb-path = \"$bad/lists\"#" deny.toml >"$bad/deny.toml"
weakness rsa RUSTSEC-2023-0071
recorded list
said=$(judged) || fail "deny.toml does not let pass what it says it does:
$said"
weakness serde RUSTSEC-2020-9999
git -C "$bad/list" add .
git -C "$bad/list" -c user.name=nobody -c user.email=nobody@localhost commit --quiet --message=x
said=$(judged) && fail "deny.toml lets a library pass of which a weakness is known"
[[ $said = *RUSTSEC-2020-9999* && $said != *"ID: RUSTSEC-2023-0071"* ]] || fail "deny.toml: another weakness was found than the one there is:
$said"

"$deny" --workspace --locked check licenses bans sources
