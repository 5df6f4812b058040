"""What is under deploy/, checked by the tools made for it; each skipped by name where it is not."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

KUBERNETES = "1.32"
TOOLS = "needs {}: make test installs it into .venv"


@pytest.mark.parametrize("path", sorted(Path("deploy").glob("*/Dockerfile")), ids=str)
def test_dockerfile_is_clean_when_hadolint_reads_it(path: Path) -> None:
    """Pinned bases, no root at the end, no forgotten caches."""
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip(TOOLS.format("hadolint"))
    done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Render the base."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, which brings kustomize")
    command = ["kubectl", "kustomize", "deploy/kubernetes"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rendered = tmp_path_factory.mktemp("kubernetes") / "all.yaml"
    rendered.write_text(done.stdout)
    return rendered, list(yaml.safe_load_all(done.stdout))


def test_objects_are_valid_when_the_api_schemas_are_strict(
    objects: tuple[Path, list[dict[str, Any]]],
) -> None:
    """Every field is one that Kubernetes knows."""
    if importlib.util.find_spec("kubernetes_validate") is None:
        pytest.skip(TOOLS.format("kubernetes-validate"))
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", KUBERNETES]
    done = subprocess.run([*command, objects[0]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_api_reaches_the_engine(objects: tuple[Path, list[dict[str, Any]]]) -> None:
    """By its policy; everything else of ours is closed unless a policy opens it."""
    policies = {
        o["metadata"]["name"]: o["spec"] for o in objects[1] if o["kind"] == "NetworkPolicy"
    }
    engine = policies["tiza-engine"]
    sources = [peer for rule in engine["ingress"] for peer in rule["from"]]
    api = {"app.kubernetes.io/name": "chatbot-backend"}
    assert sources == [{"podSelector": {"matchLabels": api}}]
    assert (engine["egress"], engine["policyTypes"]) == ([], ["Ingress", "Egress"])
    assert "ingress" not in policies["tiza-closed"]


def test_pods_can_do_little_when_somebody_gets_in(
    objects: tuple[Path, list[dict[str, Any]]],
) -> None:
    """As in Compose: no root, no capabilities, nothing to write on, bounded memory."""
    for each in objects[1]:
        if each["kind"] != "Deployment":
            continue
        pod = each["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            guarded = container["securityContext"]
            assert guarded["readOnlyRootFilesystem"] is True
            assert guarded["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
