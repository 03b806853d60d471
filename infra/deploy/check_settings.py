"""Checks compose.yaml and the manifests against the program: it takes the settings of every process, and has its paths."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

DEPLOY = pathlib.Path(__file__).parent
ROOT = DEPLOY.parent.parent
PRATU = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "pratu"
# What comes from outside, as it could look.
SECRETS = {
    "sealing-key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "subgraph-secret": "0123456789abcdef0123456789abcdef",
}

faults = []
checked = 0


def settings_of_image():
    """The environment that the Dockerfile sets."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    return dict(re.findall(r"(PRATU_\w+)=(\S+)", text))


def run(where, command, variables):
    """Starts the program as a container would, with its configuration looked at in place of `serve`."""
    global checked
    arguments = list(command)
    if arguments[0] == "serve":
        variables = dict(variables)
        if "--roles" in arguments:
            at = arguments.index("--roles")
            roles = ", ".join(f'"{role}"' for role in arguments[at + 1].split(","))
            variables["PRATU_ROLES"] = f"[{roles}]"
            del arguments[at : at + 2]
        arguments[0] = "check-config"
    else:
        arguments.append("--help")
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run([PRATU, *arguments], env=variables, cwd=folder, capture_output=True, text=True, check=False)
    checked += 1
    if ran.returncode != 0:
        faults.append(f"{where}: {ran.stderr.strip()}")


def check_compose():
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    plain = lambda value: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
    for name, service in document["services"].items():
        if service["image"].startswith("pratu:"):
            variables = settings_of_image() | {key: plain(value) for key, value in service["environment"].items()}
            run(f"compose.yaml, {name}", service["command"], variables)


def variable(where, entry, told):
    """The value of one variable of a container, made up where it is a secret."""
    if "value" in entry:
        return entry["value"]
    key = entry["valueFrom"]["secretKeyRef"]["key"]
    if f"`{key}`" not in told:
        faults.append(f"{where}: the README does not tell of the secret {key}")
    return SECRETS.get(key, "postgres://pratu@db/pratu")


def check_pod(where, spec, settings, paths, told):
    container = spec["containers"][0]
    variables = settings_of_image() | settings
    variables |= {entry["name"]: variable(where, entry, told) for entry in container.get("env", [])}
    command = list(container["args"])
    if "--config" in command:
        # Mounted from a secret; the example beside is what one looks like.
        at = command.index("--config")
        mounted = [item for volume in spec["volumes"] for item in volume.get("secret", {}).get("items", [])]
        key = mounted[0]["key"]
        if f"`{key}`" not in told:
            faults.append(f"{where}: the README does not tell of the secret {key}")
        command[at + 1] = str(DEPLOY / "settings" / f"{key.removeprefix('settings-')}.toml")
    run(where, command, variables)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        path = container.get(probe, {}).get("httpGet", {}).get("path")
        if path and path not in paths:
            faults.append(f"{where}: there is no {path} to probe")


def check_manifests():
    told = (DEPLOY / "README.md").read_text()
    paths = re.findall(r'\.route\("([^"]+)"', (ROOT / "gateway" / "src" / "health.rs").read_text())
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    documents = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    settings = next(one["data"] for one in documents if one["kind"] == "ConfigMap")
    for one in documents:
        if one["kind"] in ("Deployment", "Job"):
            where = f"kubernetes, {one['kind']} {one['metadata']['name']}"
            check_pod(where, one["spec"]["template"]["spec"], settings, paths, told)


if not PRATU.exists():
    sys.exit(f"{PRATU} is not built: cargo build --bin pratu")
check_compose()
check_manifests()
if faults:
    sys.exit("\n".join(faults))
print(f"{checked} processes have settings that they take, and paths that are there")
