"""Make of `web/` what Nginx serves: `python pack.py WEB OUT`.

Everything but the entry pages moves to `v/HASH/`, where HASH is made from all of it, so that a
browser may keep it for ever and yet never mixes two versions. Entry pages stay where they are, and
link there. Each file that shrinks by it has a `.gz` beside it. Knows nothing of what the page does.
"""

import gzip
import hashlib
import re
import shutil
import sys
from pathlib import Path

LINK = re.compile(r'(?<=\s)(href|src)="(?![a-z]+:|[/#])([^"]+)"')
PACKED = (".css", ".html", ".js", ".json", ".svg", ".mjs", ".txt")
HASH_CHARS = 16


def pack(web: Path, out: Path) -> None:
    """Write `out` anew."""
    files = [path for path in sorted(web.rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix != ".ts"]
    pages = [path for path in files if path.suffix == ".html" and path.parent == web]
    version = Path("v", _hash(web, files))
    shutil.rmtree(out, ignore_errors=True)
    for path in files:
        name = path.relative_to(web)
        _write(out / (name if path in pages else version / name), path.read_bytes())
    for page in pages:
        linked = LINK.sub(rf'\1="{version.as_posix()}/\2"', page.read_text("utf-8"))
        _write(out / page.name, linked.encode())


def _hash(web: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(web)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:HASH_CHARS]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    packed = gzip.compress(content, 9, mtime=0)
    if path.suffix in PACKED and len(packed) < len(content):
        path.with_name(f"{path.name}.gz").write_bytes(packed)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
