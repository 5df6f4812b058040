"""Make of `web/` what is sent: `python packing.py WEB OUT` for Nginx, `sent` for the local stack.

Our own modules and styles lose what only people read: comments, indentation, spaces. Lines keep
their numbers, so that a browser's complaint points into `web/`. In OUT everything but the entry
pages moves to `v/HASH/`, where HASH is made from all of it, so that a browser may keep it for ever
and yet never mixes two versions. Entry pages stay where they are, and link there. Each file that
shrinks by it has a `.gz` beside it. Needs nothing but Python; knows nothing of what the page does.
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

_STRING = r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`(?:[^`\\\n]|\\.)*`'
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*$|(?<=[;{},]) +// .*$", re.MULTILINE)
_MARGINS = re.compile(r"^[ \t]+|[ \t]+$", re.MULTILINE)
_JS_SPACES = re.compile(rf"({_STRING})| *([=<>!&|?:,;{{}}()*\[\]]+) *")
_CSS_SPACES = re.compile(rf"({_STRING})| *([{{}};,]) *|(?<=:) +")


def sent(web: Path, path: Path) -> bytes:
    """Return a file of the page as it is sent; what is not ours is sent as it came."""
    content = path.read_bytes()
    lighter = {".js": _light_js, ".css": _light_css, ".html": _bare, ".json": _bare}
    if path.suffix not in lighter or path.is_relative_to(web / "vendor"):
        return content
    return lighter[path.suffix](content.decode()).encode()


def packed(content: bytes, suffix: str) -> bytes | None:
    """Return it gzipped, where that is shorter."""
    if suffix not in PACKED:
        return None
    shorter = gzip.compress(content, 9, mtime=0)
    return shorter if len(shorter) < len(content) else None


def pack(web: Path, out: Path) -> None:
    """Write `out` anew."""
    files = [path for path in sorted(web.rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix != ".ts"]
    pages = [path for path in files if path.suffix == ".html" and path.parent == web]
    version = Path("v", _hash(web, files))
    shutil.rmtree(out, ignore_errors=True)
    for path in files:
        name = path.relative_to(web)
        _write(out / (name if path in pages else version / name), sent(web, path))
    for page in pages:
        linked = LINK.sub(rf'\1="{version.as_posix()}/\2"', sent(web, page).decode())
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
    if shorter := packed(content, path.suffix):
        path.with_name(f"{path.name}.gz").write_bytes(shorter)


def _light_js(text: str) -> str:
    text = _LINE_COMMENT.sub("", _without_comments(text))
    return "\n".join(map(_tight, _bare(text).split("\n")))


def _tight(line: str) -> str:
    """Leave alone what may hold a regular expression, or part of a longer text."""
    beside = re.sub(_STRING, "", line)
    return line if {"/", "`"} & set(beside) else _JS_SPACES.sub(_either, line)


def _light_css(text: str) -> str:
    return _CSS_SPACES.sub(_either, _bare(_without_comments(text)))


def _without_comments(text: str) -> str:
    return _BLOCK_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)


def _bare(text: str) -> str:
    return _MARGINS.sub("", text)


def _either(found: re.Match[str]) -> str:
    return found[1] or found[2] or ""


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
