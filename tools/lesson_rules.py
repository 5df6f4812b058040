"""Write `docs/lesson-rules.md` and `.es.md` from the rules: `tools/lesson_rules.py [--check]`.

First the typical mistakes with their messages exactly as `tiza taxonomy check` prints them, then
every rule. `--check` writes nothing and fails if a page is not what the code says.
"""

import argparse
import difflib
import sys
from collections.abc import Iterator
from contextlib import chdir
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from lesson_mistakes import ATTRIBUTION, DOCUMENT, MISTAKES, Mistake
from tiza.taxonomy.check import Options, check
from tiza.taxonomy.find import find
from tiza.taxonomy.report.text import NAMES, TextReport
from tiza.taxonomy.rules import GROUPS, Rule
from tiza.translation import translate

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"en": ROOT / "docs" / "lesson-rules.md", "es": ROOT / "docs" / "lesson-rules.es.md"}
WORDS = {
    "en": {
        "title": "What the checker says about lessons",
        "note": "Written by `make docs` from the code; `make check` compares.",
        "intro": "`tiza taxonomy check` names the line, what is wrong there, and what to do. An "
        "**error** keeps a lesson from being taught; a **warning** means that it is taught badly; "
        "a **note** is good to know.",
        "mistakes": "Typical mistakes",
        "nothing": "(left out)",
        "rules": "All rules",
        "files": "Files and folders",
        "syntax": "YAML",
        "structure": "Keys",
        "content": "Content",
        "says": "Says",
        "do": "Do",
        "why": "Why",
    },
    "es": {
        "title": "Qué dice el revisor sobre las lecciones",
        "note": "La escribe `make docs` a partir del código; `make check` la compara.",
        "intro": "`tiza taxonomy check` indica la línea, qué falla en ella y qué hacer. Un "
        "**error** impide enseñar la lección; un **aviso** quiere decir que se enseña mal; una "
        "**nota** conviene saberla.",
        "mistakes": "Errores típicos",
        "nothing": "(quitado)",
        "rules": "Todas las reglas",
        "files": "Archivos y carpetas",
        "syntax": "YAML",
        "structure": "Claves",
        "content": "Contenido",
        "says": "Dice",
        "do": "Qué hacer",
        "why": "Por qué",
    },
}


def page(language: str) -> str:
    """Return the page in a language."""
    words = WORDS[language]
    parts = [f"# {words['title']}", f"<!-- {words['note']} -->", words["intro"]]
    parts.append(f"## {words['mistakes']}")
    for number, mistake in enumerate(MISTAKES, 1):
        title = mistake.english if language == "en" else mistake.spanish
        parts.append(f"### {number}. {title}")
        parts.append(f"```yaml\n{changed_lines(mistake) or words['nothing']}\n```")
        parts.append(f"```text\n{printed(mistake, language)}\n```")
    parts.append(f"## {words['rules']}")
    for group, rules in GROUPS.items():
        parts.append(f"### {words[group]}")
        parts += [entry(rule, language) for rule in rules]
    return "\n\n".join(parts) + "\n"


def changed_lines(mistake: Mistake) -> str:
    """Return the lines of the lesson that have the mistake."""
    before, after = mistake.lesson.splitlines(), mistake.text.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    lines = [
        line
        for kind, _, _, start, end in matcher.get_opcodes()
        if kind != "equal"
        for line in after[start:end]
    ]
    if mistake.before == mistake.after:
        return f"# {folder(mistake) / mistake.name}"
    return "\n".join(lines).replace("\t", "⇥")


def folder(mistake: Mistake) -> Path:
    """Return where the lesson of a mistake lies."""
    local = "document:" in mistake.lesson
    return Path("taxonomy/knowledge") / ("school/handbook" if local else "science/moon")


def write(mistake: Mistake, root: Path) -> Path:
    """Write the lesson of a mistake with what belongs beside it; return its path."""
    path = root / folder(mistake) / mistake.name
    path.parent.mkdir(parents=True)
    path.write_text(mistake.text, "utf-8")
    if "document:" in mistake.lesson:
        path.with_name("handbook.md").write_text(DOCUMENT, "utf-8")
        if mistake.attribution:
            path.with_name("attribution.txt").write_text(ATTRIBUTION, "utf-8")
    return path


def printed(mistake: Mistake, language: str) -> str:
    """Return what the checker prints, without the counts."""
    out = StringIO()
    report = TextReport(out, language)
    with TemporaryDirectory() as root:
        write(mistake, Path(root))
        with chdir(root):
            taxonomy = Path("taxonomy")
            for checked in check(find([taxonomy], taxonomy), Options()):
                report.add(checked)
    return out.getvalue().rstrip()


def entry(rule: Rule, language: str) -> str:
    """Return the description of a rule; braces stand for what the message fills in."""
    words = WORDS[language]
    severity = translate(NAMES[rule.severity], language)
    lines = [
        f'#### <a id="{rule.id}"></a>`{rule.id}` ({severity})\n',
        f"- {words['says']}: {translate(rule.message, language)}",
        f"- {words['do']}: {translate(rule.hint, language)}",
        f"- {words['why']}: {translate(rule.why, language)}",
    ]
    return "\n".join(lines)


def stale() -> Iterator[str]:
    """Yield the pages that are not what the code says."""
    for language, path in PAGES.items():
        if not path.exists() or path.read_text("utf-8") != page(language):
            yield str(path.relative_to(ROOT))


def main() -> int:
    """Write or check the pages; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        found = list(stale())
        if found:
            print(f"Not in step with the code: {', '.join(found)}. Run: make docs", file=sys.stderr)
        return 1 if found else 0
    for language, path in PAGES.items():
        path.write_text(page(language), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
