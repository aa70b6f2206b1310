#!/bin/bash
# Before each start of the service: programs, certificates, secrets, image. Whatever is missing is tried again by systemd.
set -euo pipefail
umask 077

if ! command -v docker >/dev/null || ! command -v amazon-cloudwatch-agent-ctl >/dev/null; then
  dnf install -y --setopt=install_weak_deps=False docker amazon-cloudwatch-agent
fi
systemctl enable --now docker.service
amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/etc/miaosha/agent.json >/dev/null

if [ ! -s /etc/miaosha/ca.pem ]; then
  curl --fail --silent --show-error --proto '=https' --retry 5 --output /etc/miaosha/ca.pem.new '${ca_bundle_url}'
  chmod 644 /etc/miaosha/ca.pem.new
  mv /etc/miaosha/ca.pem.new /etc/miaosha/ca.pem
fi

# /run is memory. A secret that has no value yet ends this with the name of its variable, and nothing of its value.
mkdir -p -m 700 /run/miaosha
cp /etc/miaosha/settings /run/miaosha/env.new
while read -r name arn; do
  value=$(aws secretsmanager get-secret-value --region '${region}' --secret-id "$arn" --query SecretString --output text) || {
    echo "no value for $name" >&2
    exit 1
  }
  printf '%s=%s\n' "$name" "$value" >>/run/miaosha/env.new
done </etc/miaosha/secrets
mv /run/miaosha/env.new /run/miaosha/env

%{ if registry != "" ~}
aws ecr get-login-password --region '${region}' | docker login --username AWS --password-stdin '${registry}' >/dev/null
%{ endif ~}
docker image inspect '${image}' >/dev/null 2>&1 || docker pull --quiet '${image}'
docker rm --force miaosha >/dev/null 2>&1 || true
