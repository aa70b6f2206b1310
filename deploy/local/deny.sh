#!/usr/bin/env bash
# deny.sh: what deny.toml says of licences, libraries and sources holds. First the file is tried on a small package that breaks
# each of the three: a rule that cannot complain is worth nothing. Installs cargo-deny beside what is built; starts nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

tools=${CARGO_TARGET_DIR:-$root/target}/deny
mkdir -p "${tools%/*}"
bash "$here/emulators.sh" "$tools" requirements-deny.txt

bad=$(mktemp -d "${TMPDIR:-/tmp}/miaosha-XXXXXX")
trap 'rm -rf "$bad"' EXIT

package() { # FOLDER NAME LICENCE [DEPENDENCIES]
  mkdir -p "$bad/$1/src"
  touch "$bad/$1/src/lib.rs"
  printf '[package]\nname = "%s"\nversion = "1.0.0"\nlicense = "%s"\n[dependencies]\n%s\n' "$2" "$3" "${4:-}" >"$bad/$1/Cargo.toml"
}

package elsewhere elsewhere MIT
export GIT_CONFIG_GLOBAL=/dev/null
git -C "$bad/elsewhere" init --quiet
git -C "$bad/elsewhere" add .
git -C "$bad/elsewhere" -c user.name=nobody -c user.email=nobody@localhost commit --quiet --message=elsewhere
package tls openssl-sys GPL-3.0-only
package . bad MIT "openssl-sys = { path = \"tls\" }
elsewhere = { git = \"file://$bad/elsewhere\" }"

# A home of its own, so that nothing of the bad package stays in the user's.
said=$(CARGO_HOME=$bad/home "$tools/bin/cargo-deny" --manifest-path "$bad/Cargo.toml" --config "$root/deny.toml" --color never \
  check licenses bans sources 2>&1) && fail "deny.toml lets a package pass that breaks every rule"
for rule in rejected banned source-not-allowed; do
  [[ $said = *"error[$rule]"* ]] || fail "deny.toml: nothing is '$rule' of a package that should be:
$said"
done

"$tools/bin/cargo-deny" --workspace --locked check licenses bans sources
