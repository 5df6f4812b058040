"""What the tests in containers share: an engine, our images, and the report of what is seen."""

from collections.abc import Iterator

import pytest

from tests.deploy import standins
from tests.deploy.docker_engine import Docker, docker_engine, why_not
from tests.deploy.report import Report
from tests.deploy.stack import ROOT

MIB = 1_048_576


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """Use Docker, or say why that cannot be."""
    if reason := why_not():
        pytest.skip(reason)
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest, docker: Docker) -> Iterator[Report]:
    """Collect what is seen; it is written down if nothing failed."""
    made = standins.provide(docker)
    noted = Report()
    yield noted
    if not request.session.testsfailed:
        noted.write(docker, made)


@pytest.fixture(scope="session")
def images(docker: Docker, report: Report) -> None:
    """Build every image but the trainer's, which would bring gigabytes."""
    for name, file, target in (
        ("api", "deploy/api/Dockerfile", "api"),
        ("engine-cpu", "deploy/api/Dockerfile", "engine"),
        ("page", "deploy/page/Dockerfile", ""),
        ("vllm", "deploy/vllm/Dockerfile", ""),
    ):
        target_words = ["--target", target] if target else []
        docker("build", "-q", "-t", f"tiza/{name}:local", "-f", ROOT / file, *target_words, ROOT)
        whole, own = image_sizes(docker, name)
        value = f"{whole:.0f} MiB ({own:.0f} MiB)"
        if name != "vllm":
            report.note(
                f"Image `{name}`: size (without its base)",
                f"Imagen `{name}`: tamaño (sin su base)",
                value,
            )


def image_sizes(docker: Docker, name: str) -> tuple[float, float]:
    """Return how many MiB an image has, and how many without its base."""
    bases = {"page": "nginx", "vllm": "vllm/vllm-openai"}
    base = next(i for i in standins.needed() if i.startswith(bases.get(name, "python")))
    sizes = [
        int(docker("image", "inspect", "--format", "{{.Size}}", image)) / MIB
        for image in (f"tiza/{name}:local", base)
    ]
    return sizes[0], sizes[0] - sizes[1]
