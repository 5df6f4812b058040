"""Images under the names that the project's files ask for, where those cannot be fetched.

All are made from Debian by `debootstrap`, from the sources of this machine, with the certificates
and package indices that this machine uses. The project's own files know nothing of this.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.deploy.docker_engine import STATE, Docker

ROOT = Path(__file__).parents[2]
DEBIAN = "tiza-standin/debian"
SUITE = "bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
FROM = re.compile(r"^FROM ([a-z][\w./-]*:[\w.-]+)", re.MULTILINE)
IMAGE = re.compile(r"^\s*image: ((?:postgres|redis|prom/prometheus):[\w.-]+)", re.MULTILINE)
LEFT_OUT = ("var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc/*", "usr/share/man/*")
APT = "RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends {} \
 && apt-get clean && rm -rf /var/lib/apt/lists/*"

# The same entry point as the real one's, and behind it the engine that runs on any CPU.
VLLM = r"""#!/opt/tiza/bin/python
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("verb")
parser.add_argument("model", type=pathlib.Path)
for name in ("served-model-name", "host", "port", "max-model-len"):
    parser.add_argument("--" + name, required=True)
given, _ = parser.parse_known_args()
model = given.model / "model.gguf" if given.model.is_dir() else given.model
python = "/opt/tiza/bin/python"
os.execv(python, [python, "-m", "tiza.engines.llama_cpp",
    "--model", str(model), "--alias", given.served_model_name, "--host", given.host,
    "--port", given.port, "--context", given.max_model_len, "--slots", "4"])
"""
POSTGRES = r"""#!/bin/sh
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/data/base-folder
if [ ! -d "$data" ]; then
    echo "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username "$POSTGRES_USER" --pwfile /tmp/password --auth scram-sha-256 "$data"
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    echo "CREATE DATABASE $POSTGRES_DB;" | postgres --single -D "$data" postgres >/dev/null
fi
exec postgres -D "$data" -c listen_addresses='*'
"""


def needed() -> list[str]:
    """Return the names of the images that the project's files ask for."""
    files = [ROOT / "compose.yaml", *ROOT.glob("deploy/*/Dockerfile")]
    texts = [path.read_text("utf-8") for path in files]
    return sorted({name for text in texts for name in (*FROM.findall(text), *IMAGE.findall(text))})


def provide(docker: Docker) -> list[str]:
    """Make those that are missing; return the names of all that are stand-ins."""
    made = []
    for name in needed():
        label = '{{ index .Config.Labels "tiza.standin" }}'
        known = name in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        if not known:
            _build(docker, name)
        if docker("image", "inspect", "--format", label, name) == "yes":
            made.append(name)
    return made


def _build(docker: Docker, name: str) -> None:
    _debian(docker)
    folder = STATE / "context"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if CERTIFICATES.exists():
        shutil.copy(CERTIFICATES, folder / "certificates.crt")
    for file, text in (("vllm", VLLM), ("postgres", POSTGRES)):
        (folder / file).write_text(text)
        (folder / file).chmod(0o755)
    (folder / "Dockerfile").write_text("\n".join(["FROM " + DEBIAN, *_steps(name)]) + "\n")
    docker("build", "--quiet", "--label", "tiza.standin=yes", "--tag", name, folder)


def _steps(name: str) -> list[str]:
    kind = name.partition(":")[0].rpartition("/")[2]
    packages, more = {
        "python": ("python3 python3-venv", []),
        "vllm-openai": ("python3 python3-venv libgomp1", ["COPY vllm /usr/local/bin/vllm"]),
        "nginx": ("nginx-light curl", []),
        "prometheus": (
            "prometheus",
            ["RUN install -d -o nobody -g nogroup /prometheus"],
        ),
        "redis": ("redis-server", ["RUN mkdir /data && chown redis:redis /data"]),
        "postgres": (
            "postgresql",
            [
                "COPY postgres /usr/local/bin/start-postgres",
                "RUN ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/",
                "RUN rm -rf /var/lib/postgresql/* "
                "&& install -d -o postgres -g postgres /var/lib/postgresql/data "
                "&& chmod 3777 /var/run/postgresql",  # as in the real one
                'ENTRYPOINT ["start-postgres"]',
            ],
        ),
    }[kind]
    return [*_surroundings(), APT.format(packages), *more]


def _surroundings() -> list[str]:
    """Return the steps that let package installers work in there as they do here."""
    names = ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")
    steps = [f"ENV {name}={CERTIFICATES}" for name in names if CERTIFICATES.exists()]
    if CERTIFICATES.exists():
        steps.append(f"COPY certificates.crt {CERTIFICATES}")
    indices = ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    given = {name: os.environ.get(name) or os.environ.get(name.lower()) for name in indices}
    steps += [f"ENV {name}={value}" for name, value in given.items() if value]
    return [*steps, "ENV PIP_DEFAULT_TIMEOUT=180"]


def _debian(docker: Docker) -> None:
    if docker("images", "--quiet", DEBIAN):
        return
    folder = STATE / "debian"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, str(folder)]
    subprocess.run([*command, _mirror()], check=True, stdout=subprocess.DEVNULL)
    tar = ["tar", "-C", str(folder), *(f"--exclude=./{place}" for place in LEFT_OUT), "-c", "."]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as packing:
        importing = ["docker", "import", "-", DEBIAN]
        subprocess.run(importing, stdin=packing.stdout, env=docker.environment, check=True)
    shutil.rmtree(folder)


def _mirror() -> str:
    """Return where this machine gets its packages from."""
    listed = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages"]
    lines = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        site, _, release = line.partition(" ")
        if release == SUITE:
            return site
    raise AssertionError(f"apt knows no source of Debian {SUITE}")
