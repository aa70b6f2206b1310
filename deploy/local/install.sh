#!/usr/bin/env bash
# install.sh: what the tests use of Debian's packages, if it is missing: the servers, nginx, Prometheus with its tools, a browser,
# what renders a PDF and reads its codes, typefaces of many scripts, and something that reads docker-compose.yml. Only the
# programs are wanted: whatever is installed here starts nothing, now or at the next boot.
set -euo pipefail

# package:program or file it is wanted for
wanted=(redis-server:redis-server rabbitmq-server:rabbitmq-server mariadb-server:mariadbd nginx:nginx openssl:openssl git:git
  zbar-tools:zbarimg poppler-utils:pdftoppm fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
  fonts-noto-core:/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf
  chromium:chromium chromium-driver:chromedriver
  prometheus:prometheus prometheus:promtool
  python3:python3 python3-venv:/usr/share/doc/python3-venv)
PATH=$PATH:/usr/sbin:/sbin

# Docker's own plugin will do as well.
docker compose version >/dev/null 2>&1 || wanted+=(docker-compose:docker-compose)

missing=()
for pair in "${wanted[@]}"; do
  # A file is named by its whole path: a folder of this project may have a program's name.
  command -v "${pair#*:}" >/dev/null || [[ ${pair#*:} = /* && -e ${pair#*:} ]] || [[ " ${missing[*]-} " = *" ${pair%%:*} "* ]] || missing+=("${pair%%:*}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    exec sudo -n bash "$0"
  fi
  echo "install.sh: these Debian packages are missing: ${missing[*]}" >&2
  echo "Neither root nor sudo without a password is at hand; please have them installed:" >&2
  echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "install.sh: please install these yourself, there is no apt-get here: ${missing[*]}" >&2
  exit 1
fi

# Package scripts ask policy-rc.d whether they may start a service; 101 is "no".
policy=/usr/sbin/policy-rc.d
kept=$policy.kept-by-miaosha
put_back() {
  rm -f "$policy"
  if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
}
# A kept file that is still there is an earlier run's that was cut off: it is the true one.
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
trap put_back EXIT
trap 'exit 130' INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
echo "installing ${missing[*]} (log: $log)"
# A list that some third-party source fails to deliver is no reason to stop: the installation itself decides.
apt-get update >"$log" 2>&1 || true
if ! apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "install.sh: apt-get could not install ${missing[*]}" >&2
  exit 1
fi
if command -v systemctl >/dev/null; then
  units=()
  for package in "${missing[@]}"; do
    case $package in
      redis-server) units+=(redis-server.service) ;;
      rabbitmq-server) units+=(rabbitmq-server.service epmd.service epmd.socket) ;;
      mariadb-server) units+=(mariadb.service) ;;
      nginx) units+=(nginx.service) ;;
      prometheus) units+=(prometheus.service) ;;
    esac
  done
  for unit in "${units[@]}"; do systemctl disable "$unit" >>"$log" 2>&1 || true; done
fi
rm -f "$log"
