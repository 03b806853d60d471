"""Checks the alert rules and dashboards: queries parse, metrics exist in the code, each alert has its runbook page."""

import json
import pathlib
import re
import sys

import promql_parser
import yaml

DEPLOY = pathlib.Path(__file__).parent
ROOT = DEPLOY.parent.parent
# What Prometheus itself and PostgreSQL's usual exporter give, not the program; and what it takes from the crate
# metrics-process.
FOREIGN = {"up", "pg_replication_lag_seconds"} | {
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
}
SUFFIX = re.compile(r"_(bucket|sum|count)$")

faults = []


def metrics_in_code():
    """Every quoted name in the sources that could be a metric's."""
    sources = [path for part in ("gateway", "services", "infra") for path in (ROOT / part).rglob("src/**/*.rs")]
    return {name for path in sources for name in re.findall(r'"([a-z][a-z0-9_]+)"', path.read_text())}


def check(where, query, known):
    """Notes a query that does not parse, or selects a metric that nobody makes."""
    names = []

    def note(node):
        if isinstance(node, promql_parser.VectorSelector):
            names.append(node.name)

    try:
        promql_parser.walk(promql_parser.parse(query), note)
    except Exception as error:  # the parser raises several kinds
        faults.append(f"{where}: {error}")
        return
    for name in names:
        if name not in known and SUFFIX.sub("", name) not in known:
            faults.append(f"{where}: no such metric: {name}")


def check_alerts(known):
    document = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    known |= {rule["record"] for rule in rules if "record" in rule} | FOREIGN
    alerts = [rule for rule in rules if "alert" in rule]
    for rule in rules:
        check(rule.get("alert") or rule["record"], rule["expr"], known)
    pages = {path.stem for path in (DEPLOY / "runbooks").glob("*.md")} - {"README"}
    for rule in alerts:
        name = rule["alert"]
        if rule.get("labels", {}).get("severity") not in {"page", "ticket"}:
            faults.append(f"{name}: its severity is neither page nor ticket")
        if not rule.get("annotations", {}).get("runbook", "").endswith(f"/{name}.md"):
            faults.append(f"{name}: its annotation does not name its runbook page")
        if name not in pages:
            faults.append(f"{name}: there is no page runbooks/{name}.md")
    for page in pages - {rule["alert"] for rule in alerts}:
        faults.append(f"runbooks/{page}.md: there is no such alert")
    return len(alerts)


def check_dashboards(known):
    queries = 0
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"].replace("$__rate_interval", "5m").replace('"$role"', '".*"')
                check(f"{path.name}, {panel['title']}", query, known)
                queries += 1
    return queries


known = metrics_in_code()
alerts = check_alerts(known)
queries = check_dashboards(known)
if faults:
    sys.exit("\n".join(faults))
print(f"{alerts} alerts with their pages and {queries} queries of dashboards hold")
