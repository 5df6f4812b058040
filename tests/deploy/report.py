"""What a run in containers has shown, as a table in the operator's guide, in both languages."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from tests.deploy.docker_engine import Docker

BEGIN, END = "<!-- report: begin -->", "<!-- report: end -->"
GUIDES = {"en": Path("docs/operations.md"), "es": Path("docs/operations.es.md")}
HEADS = {"en": "| What was shown | Seen |", "es": "| Qué se comprobó | Visto |"}
FOOT = {
    "en": "Run on {date} with Docker {docker} and docker-compose {compose} on {cores} cores "
    "({kind}). Stand-ins made of Debian, as images could not be fetched: {standins}.",
    "es": "Ejecutado el {date} con Docker {docker} y docker-compose {compose} en {cores} núcleos "
    "({kind}). Sustitutos hechos de Debian, porque no se podían descargar imágenes: {standins}.",
}


class Report:
    """Rows in two languages; `value` reads the same in both."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = {"en": [], "es": []}

    def note(self, en: str, es: str, value: str) -> None:
        """Add a row."""
        self._rows["en"].append(f"| {en} | {value} |")
        self._rows["es"].append(f"| {es} | {value} |")

    def write(self, docker: Docker, standins: list[str]) -> None:
        """Put the table between the marks of each guide."""
        facts = {
            "date": datetime.now(UTC).date().isoformat(),
            "docker": docker("version", "--format", "{{.Server.Version}}"),
            "compose": docker.run("docker-compose", "version", "--short"),
            "cores": str(os.cpu_count()),
            "kind": platform.machine(),
            "standins": ", ".join(f"`{name}`" for name in standins) or "-",
        }
        for language, path in GUIDES.items():
            rows = [HEADS[language], "|---|---|", *self._rows[language]]
            table = "\n".join([BEGIN, "", *rows, "", FOOT[language].format(**facts), "", END])
            text = path.read_text("utf-8")
            before, begin, rest = text.partition(BEGIN)
            _, end, after = rest.partition(END)
            assert begin
            assert end, f"{path} has no place for the report"
            path.write_text(before + table + after, "utf-8")
