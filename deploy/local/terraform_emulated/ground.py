"""What an account has before terraform comes, put into the emulator: a zone, a certificate, an image of the machine, and two
packages. Prints it as variables. With --look: what was applied is really there, as a service or the warmer would find it."""

import base64
import gzip
import json
import re
import subprocess
import sys
import zipfile

import boto3
import yaml

REGION = "eu-central-1"


def client(service):
    return boto3.client(service, region_name=REGION)


def ground(folder):
    zone = client("route53").create_hosted_zone(Name="example.org", CallerReference="ground")["HostedZone"]["Id"]
    certificate = client("acm").request_certificate(
        DomainName="shop.example.org", SubjectAlternativeNames=["origin.shop.example.org"]
    )["CertificateArn"]
    image = client("ec2").describe_images()["Images"][0]["ImageId"]
    package = f"{folder}/package.zip"
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("bootstrap", "#!/bin/sh\n")
    return {
        "zone_id": zone.split("/")[-1],
        "certificate_arn": certificate,
        "ami_id": image,
        "packages": {name: {"filename": package} for name in ("mailer", "warmer")},
    }


def look():
    groups = {g["AutoScalingGroupName"]: g for g in client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]}
    services = ["publisher", "consumer", "payment-consumer", "gateway", "sockets"]
    assert sorted(groups) == sorted(f"miaosha-{s}" for s in services), sorted(groups)

    # An apply while an event is on must leave alone what the warmer set; that the plan after it is empty was seen before.
    balancer = client("elbv2")
    listener = next(
        l for b in balancer.describe_load_balancers()["LoadBalancers"]
        for l in balancer.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"])["Listeners"] if l["Port"] == 443
    )
    names = {t["TargetGroupArn"]: t["TargetGroupName"] for t in balancer.describe_target_groups()["TargetGroups"]}
    rules = [r for r in balancer.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"] if not r["IsDefault"]]
    ways = [
        (r["Conditions"][0]["PathPatternConfig"]["Values"] if "PathPatternConfig" in r["Conditions"][0] else r["Conditions"][0]["Values"],
         names[r["Actions"][0]["TargetGroupArn"]])
        for r in sorted(rules, key=lambda r: int(r["Priority"]))
    ]
    assert ways == [
        (["/v1/sales/*/attempts"], "miaosha-publisher"), (["/ws"], "miaosha-sockets"), (["/*"], "miaosha-gateway"),
    ], ways

    for service in services:
        boots(service)

    # A secret that was drawn: what a service reads has the form that it takes.
    keys = client("secretsmanager").get_secret_value(SecretId="miaosha/MIAOSHA__TOKEN_KEYS")["SecretString"]
    kinds = [key.split(":") for key in keys.split(",")]
    assert [k[:2] for k in kinds] == [["access", "a1"], ["checkout", "a1"], ["admission", "a1"]], "kinds of keys"
    assert all(len(k[2]) == 64 and set(k[2]) <= set("0123456789abcdef") for k in kinds), "a key is no hexadecimal"
    assert len({k[2] for k in kinds}) == 3, "one key for two kinds"
    publishers = client("secretsmanager").get_secret_value(SecretId="miaosha/ADMISSION_KEYS")["SecretString"]
    assert publishers == keys.split(",")[2], "publishers have the keys of admissions and no others"
    # What an operator fills: the place is there, and what they would put is the other half of the key that was drawn.
    place = client("secretsmanager").describe_secret(SecretId="miaosha/ACCESS_PUBLIC_KEYS")
    assert not place.get("VersionIdsToStages"), "nobody but its owner fills it"
    url = client("secretsmanager").get_secret_value(SecretId="miaosha/url/mysql")["SecretString"]
    assert url.startswith("mysql://miaosha_shop:") and "ssl-mode=verify_identity" in url, "the ledger's URL"
    broker = client("secretsmanager").get_secret_value(SecretId="miaosha/url/broker")["SecretString"]
    assert broker.startswith("amqps://miaosha:"), "the broker's URL"

    # At each moment the highest of what is wanted then: the encore begins while spring is on, and goes on without it.
    actions = {
        (a["AutoScalingGroupName"], a["ScheduledActionName"]): a["MinSize"]
        for a in client("autoscaling").describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    }
    consumer = {name.removeprefix(f"{group}-"): size for (group, name), size in actions.items() if group == "miaosha-consumer"}
    assert consumer == {"spring-warm": 4, "encore-warm": 4, "spring-cool": 3, "encore-cool": 2}, consumer

    call = json.loads(client("scheduler").get_schedule(GroupName="miaosha-events", Name="spring-warm")["Target"]["Input"])
    assert [g["name"] for g in call["groups"]] == ["miaosha-gateway", "miaosha-publisher", "miaosha-sockets"], call
    assert call["until"] == "2090-03-01T14:00:00Z" and len(call["target_groups"]) == 3, call


# What AWS takes in clear only, and what is in clear in it.
IN_THE_STATE = {f"miaosha/{name}" for name in (
    "password/broker", "password/redis", "password/mysql_mailer", "url/mysql_mailer", "MIAOSHA__MAIL__SMTP_URL",
)}


def state(path):
    """Of all secrets, the state has those that deploy/README.md says, and no part of another."""
    with open(path) as file:
        text = file.read()
    manager = client("secretsmanager")
    found, seen = set(), 0
    for page in manager.get_paginator("list_secrets").paginate():
        for secret in page["SecretList"]:
            try:
                value = manager.get_secret_value(SecretId=secret["Name"])["SecretString"]
            except manager.exceptions.ResourceNotFoundException:
                continue  # a place that only its owner fills
            seen += 1
            # A list of keys is none the better for a word before it.
            parts = [value, *re.findall(r"[0-9a-f]{64}", value)]
            if any(json.dumps(part)[1:-1] in text for part in parts):
                found.add(secret["Name"])
    assert seen > len(IN_THE_STATE), seen
    assert found == IN_THE_STATE, f"in the state: {sorted(found)}"


def boots(service):
    """What an instance starts with can be read by those who read it: cloud-init, bash, the agent."""
    versions = client("ec2").describe_launch_template_versions(LaunchTemplateName=f"miaosha-{service}", Versions=["$Default"])
    data = base64.b64decode(versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"])
    assert len(data) <= 16384, f"{service}: {len(data)} bytes are more than EC2 takes"
    files = {
        file["path"]: gzip.decompress(base64.b64decode(file["content"])).decode()
        for file in yaml.safe_load(gzip.decompress(data))["write_files"]
    }
    for path, text in files.items():
        if path.startswith("/usr/local/sbin/"):
            subprocess.run(["bash", "-n"], input=text.encode(), check=True)
        elif path.endswith(".json"):
            json.loads(text)
        elif path.endswith(".yaml"):
            yaml.safe_load(text)
        assert "%{" not in text and "${" not in text, f"{service}: {path} is a template still"
    settings = dict(line.split("=", 1) for line in files["/etc/miaosha/settings"].splitlines())
    assert settings["MIAOSHA__TLS__REQUIRED"] == "true" and settings["AWS_REGION"] == REGION, settings
    assert not any(name in settings for name in ("MIAOSHA__TOKEN_KEYS", "MIAOSHA__MYSQL__URL")), f"{service}: a secret among settings"


if sys.argv[1] == "--look":
    look()
    state("terraform.tfstate")
else:
    print(json.dumps(ground(sys.argv[1])))
