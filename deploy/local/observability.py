#!/usr/bin/env python3
"""observability.py DIR COMMAND…: a real Prometheus watches the local fleet in DIR while COMMAND runs, and is then asked whether it saw it.

Configuration and rules are those of deploy/prometheus, but for where the fleet is and for a scrape every second. It must be so
that every part of the fleet is up, every rule evaluates, every metric of ours that a rule names was scraped, the broker's figures
have the names that we rely on, and no alarm rings that is for waking somebody, but for those about how long something takes. Its data
go when it ends.
"""
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent
# What a name of the local fleet is called elsewhere.
JOBS = {"socket-gateway": "sockets"}
SERVICES = ["publisher", "consumer", "payment-consumer", "gateway"]
PATIENCE_S = 60


def fail(what):
    sys.exit(f"observability.py: {what}")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def targets(fleet):
    """Addresses by job."""
    found = {}
    for part in json.loads((fleet / "state.json").read_text())["parts"]:
        kind = JOBS.get(part["kind"], part["kind"])
        if "inner_url" in part and kind in SERVICES + ["sockets"]:
            found.setdefault(kind, []).append(part["inner_url"].removeprefix("http://"))
    env = (fleet / "rabbitmq" / "env").read_text()
    port = re.search(r"^figures_port=(\d+)$", env, re.MULTILINE)
    if port:
        found["rabbitmq"] = [f"127.0.0.1:{port[1]}"]
    return found


def configuration(home, found):
    shutil.copytree(DEPLOY / "prometheus" / "rules", home / "rules")
    jobs = [{"job_name": job, "static_configs": [{"targets": addresses}]} for job, addresses in found.items()]
    pace = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": pace, "rule_files": [str(home / "rules" / "*.yml")], "scrape_configs": jobs}
    # JSON is YAML.
    (home / "prometheus.yml").write_text(json.dumps(config))


class Prometheus:
    def __init__(self, home):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = (home / "log").open("w")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
             f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def ask(self, path, **query):
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, query):
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def until(self, what, check):
        give_up = time.monotonic() + PATIENCE_S
        while True:
            if self.process.poll() is not None:
                fail("Prometheus ended by itself")
            try:
                complaint = check()
            except OSError as error:
                complaint = str(error)
            if not complaint:
                return
            if time.monotonic() > give_up:
                fail(f"{what}: {complaint}")
            time.sleep(0.25)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()


def not_up(prometheus, found):
    active = prometheus.ask("targets", state="active")["activeTargets"]
    if len(active) != sum(map(len, found.values())):
        return f"{len(active)} targets, wanted {found}"
    return [f"{target['scrapeUrl']}: {target['health']} {target['lastError']}" for target in active if target["health"] != "up"]


def rules(prometheus):
    return [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]


def broken_rules(prometheus):
    return [f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}" for rule in rules(prometheus) if rule["health"] != "ok"]


def missing_metrics(prometheus, names):
    return [name for name in names if not prometheus.value(f"count({name})")]


def named_by_rules(prometheus):
    return sorted({name for rule in rules(prometheus) for name in re.findall(r"\bmiaosha_\w+", rule["query"])})


def ringing(prometheus):
    """Without those about percentiles of time: how fast this machine is, with all else it does, is not judged here."""
    slow = {rule["name"] for rule in rules(prometheus) if re.search(r"_seconds:p\d+_", rule["query"])}
    alerts = prometheus.ask("alerts")["alerts"]
    return [alert for alert in alerts if alert["state"] == "firing" and alert["labels"]["alertname"] not in slow]


def watch(prometheus, found, command):
    prometheus.until("some are not up", lambda: not_up(prometheus, found))
    ended = subprocess.run(command, stdin=subprocess.DEVNULL)
    if ended.returncode != 0:
        fail(f"{command[0]} ended with {ended.returncode}")
    prometheus.until("some are not up", lambda: not_up(prometheus, found))
    prometheus.until("rules do not evaluate", lambda: broken_rules(prometheus))
    ours = named_by_rules(prometheus)
    prometheus.until("metrics that rules name are not there", lambda: missing_metrics(prometheus, ours))
    decided = "sum(miaosha_consumer_attempts_total)"
    prometheus.until("nobody decided anything", lambda: not prometheus.value(decided) and decided)
    foreign = []
    if "rabbitmq" in found:
        lines = (DEPLOY / "prometheus" / "foreign-metrics.txt").read_text().splitlines()
        foreign = [line.split()[0] for line in lines if line.startswith("rabbitmq_")]
        prometheus.until("the broker has other figures", lambda: missing_metrics(prometheus, foreign))
    rings = [alert["labels"] for alert in ringing(prometheus) if alert["labels"]["severity"] == "page"]
    if rings:
        fail(f"alarms ring in a fleet that is well: {rings}")
    count = sum(map(len, found.values()))
    print(f"observability: {count} targets up, {len(rules(prometheus))} rules evaluate, {len(ours)} metrics of ours and {len(foreign)} of "
          f"the broker's are there, {prometheus.value(decided):.0f} attempts were seen decided")


def main(fleet, command):
    found = targets(fleet)
    for service in SERVICES:
        if service not in found:
            fail(f"there is no {service} in {fleet}")
    home = Path(tempfile.mkdtemp(prefix="miaosha-observability-"))
    prometheus = None
    try:
        configuration(home, found)
        prometheus = Prometheus(home)
        watch(prometheus, found, command)
    finally:
        if prometheus:
            prometheus.end()
        shutil.rmtree(home)


if len(sys.argv) < 3:
    sys.exit(__doc__)
main(Path(sys.argv[1]).resolve(), sys.argv[2:])
