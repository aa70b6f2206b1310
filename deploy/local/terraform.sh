#!/usr/bin/env bash
# terraform.sh [tests] [scan] [apply] (make test-terraform: all three): all that can be known of terraform/ without an account. Its
# form, its tests, a scan for what a policy would object to, and a real apply against an emulator of AWS: applied, planned again,
# when nothing may differ, and destroyed. Needs terraform 1.11, python3 with venv, and the provider:
#   MIAOSHA_TERRAFORM_PLUGINS   a folder that `terraform providers mirror` could have written; by default the usual places are
#                               looked at, and with none of them it comes from the registry
# Nothing is written beside a temporary folder, which stays behind, with its logs, if something failed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$root"

emulated=$here/terraform_emulated
modules=(network vault bucket data firewall edge service operator lambda warmup watch)
bed=$(mktemp -d "${TMPDIR:-/tmp}/miaosha-terraform-XXXXXX")
moto='' applying=''

leave() {
  local code=$? pid
  trap - EXIT
  trap '' INT TERM HUP
  for pid in $applying $moto; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  if [ "$code" = 0 ]; then rm -rf "$bed"; else echo "${0##*/}: failed ($code); what was said is in $bed" >&2; fi
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- what it is done with

command -v terraform >/dev/null || fail "terraform is not installed (1.11 or newer): https://developer.hashicorp.com/terraform/install"

plugins() {
  local place
  for place in "${MIAOSHA_TERRAFORM_PLUGINS:-}" /opt/tf-plugins /usr/local/share/terraform/plugins /usr/share/terraform/plugins; do
    if compgen -G "$place/*/hashicorp/aws" >/dev/null; then echo "$place" && return; fi
  done
}

configure() {
  local mirror
  mirror=$(plugins)
  mkdir "$bed/cache"
  if [ -n "$mirror" ]; then
    echo "==> the provider comes from $mirror"
    printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$mirror" >"$bed/terraform.rc"
  else
    echo "==> the provider comes from the registry"
    printf 'plugin_cache_dir = "%s"\nplugin_cache_may_break_dependency_lock_file = true\n' "$bed/cache" >"$bed/terraform.rc"
  fi
  export TF_CLI_CONFIG_FILE=$bed/terraform.rc CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_CLI_ARGS=-no-color
}

# Whose credentials are in the environment must not matter: from here on AWS is the emulator, whatever goes wrong.
emulator() {
  local port tools=${MIAOSHA_EMULATORS:-${CARGO_TARGET_DIR:-$root/target}/emulators} give_up=$((SECONDS + 240))
  [ -n "${MIAOSHA_EMULATORS:-}" ] || bash "$here/emulators.sh" "$tools"
  port=$(free_ports)
  unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE
  export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=emulated AWS_SECRET_ACCESS_KEY=emulated
  export AWS_REGION=eu-central-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  python=$tools/bin/python
  # Roles have policies that AWS keeps for everybody.
  MOTO_IAM_LOAD_MANAGED_POLICIES=true "$tools/bin/moto_server" -H 127.0.0.1 -p "$port" >"$bed/moto.log" 2>&1 &
  moto=$!
  until listens "$port"; do
    [ $SECONDS -lt $give_up ] || fail "the emulator does not start; see $bed/moto.log"
    sleep 0.2
  done
}

# ---- steps

copied() { # what is checked in, and what is about to be
  mkdir "$bed/terraform"
  git ls-files -z --cached --others --exclude-standard terraform | xargs -0 tar c | tar x -C "$bed"
}

initialised() { # FOLDER
  (cd "$bed/terraform/$1" && terraform init -input=false >"$bed/init.log" 2>&1) || { cat "$bed/init.log" >&2; fail "terraform init in $1"; }
}

tested() { # FOLDER
  local log=$bed/test-${1//\//-}.log
  initialised "$1"
  # The front needs two providers, and is valid only in a module that passes it both: there it is checked.
  [ "$1" = modules/edge ] || (cd "$bed/terraform/$1" && terraform validate >"$log" 2>&1) || { cat "$log" >&2; fail "terraform validate in $1"; }
  (cd "$bed/terraform/$1" && terraform test >"$log" 2>&1) || { cat "$log" >&2; fail "terraform test in $1"; }
  echo "    $1: $(grep -o '[0-9]* passed, [0-9]* failed' "$log")"
}

scanned() {
  local tools=${CARGO_TARGET_DIR:-$root/target}/checkov
  mkdir -p "${tools%/*}"
  bash "$here/emulators.sh" "$tools" requirements-terraform.txt
  # Each exception stands where it is made, with its reason: `#checkov:skip=`.
  "$tools/bin/checkov" --directory "$bed/terraform" --framework terraform --quiet --compact --skip-download >"$bed/checkov.log" 2>&1 || {
    cat "$bed/checkov.log" >&2
    fail "checkov objects"
  }
  grep -o 'Passed checks: .*' "$bed/checkov.log" | sed 's/^/    /'
}

applied() {
  local log=$bed/apply.log code=0
  cp -r "$bed/terraform" "$bed/emulated"
  # What the emulator takes and does not tell back, or tells differently: left out of the comparison, each with its reason.
  cp -r "$emulated/modules" "$bed/emulated"
  cd "$bed/emulated/environments/shop"
  # The emulator has one name for all buckets, so that they are told by the path.
  printf 'provider "aws" {\n  s3_use_path_style = true\n}\n' >emulator_override.tf
  "$python" "$emulated/ground.py" "$bed" >ground.auto.tfvars.json
  cp "$emulated/shop.json" emulated.auto.tfvars.json
  terraform init -input=false >"$log" 2>&1 || return
  terraform apply -input=false -auto-approve -parallelism=20 >>"$log" 2>&1 || return
  terraform plan -input=false -detailed-exitcode >"$bed/again.log" 2>&1 || code=$?
  if [ $code != 0 ]; then
    cat "$bed/again.log" >>"$log"
    echo "the second plan is not empty" >>"$log"
    return 1
  fi
  "$python" "$emulated/ground.py" --look >>"$log" 2>&1 || return
  terraform destroy -input=false -auto-approve -parallelism=20 >"$bed/destroy.log" 2>&1 || { cat "$bed/destroy.log" >>"$log"; return 1; }
  [ -z "$(terraform state list)" ]
}

checked() { # tests, scan, apply: which of them; all in silence
  local wanted=" ${*:-tests scan apply} " module
  echo "==> terraform fmt"
  terraform fmt -check -recursive -diff terraform || fail "terraform fmt -recursive terraform puts it in form"
  terraform fmt -check -recursive -diff "$emulated" || fail "terraform fmt -recursive ${emulated#"$root/"} puts it in form"
  copied
  emulator
  case $wanted in *' apply '*)
    echo "==> terraform apply, in the background"
    applied &
    applying=$!
    ;;
  esac
  case $wanted in *' tests '*)
    echo "==> terraform validate and test"
    for module in "${modules[@]}"; do tested "modules/$module"; done
    tested environments/shop
    ;;
  esac
  case $wanted in *' scan '*)
    echo "==> checkov"
    scanned
    ;;
  esac
  case $wanted in *' apply '*)
    echo "==> the apply against the emulator"
    if ! wait "$applying"; then
      applying=''
      tail -n 60 "$bed/apply.log" >&2
      fail "the apply, the second plan or the destruction"
    fi
    applying=''
    echo "    $(grep -o 'Resources: [0-9]* added' "$bed/apply.log"); the second plan is empty; $(grep -o 'Resources: [0-9]* destroyed' "$bed/destroy.log")"
    ;;
  esac
  echo "==> done in $SECONDS s"
}

configure
checked "$@"
exit
