"""Write `.env` from `.env.example`, with a secret made by chance for each that is empty there."""

import re
import secrets
import sys
from pathlib import Path

EMPTY_SECRET = re.compile(r"^([A-Z_]+_(?:KEY|PASSWORD))=$", re.MULTILINE)


def filled(example: str) -> str:
    """Return the example with its secrets."""
    return EMPTY_SECRET.sub(lambda match: f"{match[1]}={secrets.token_hex(32)}", example)


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.touch(0o600)
    target.write_text(filled(source.read_text("utf-8")), "utf-8")
    print(f"Wrote {target} with new secrets; look at COMPOSE_PROFILES there.")
