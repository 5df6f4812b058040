"""The verbs on lessons: check, diff, tree, new, changelog."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiza.translation import terminal_language

if TYPE_CHECKING:
    from tiza.taxonomy.check import Checked
    from tiza.taxonomy.find import Candidate

KINDS = ("knowledge", "compositional_skills", "foundational_skills")
CACHE = "taxonomy/verdicts.sqlite"
TERMINAL_SECONDS, LOG_SECONDS = 0.2, 5.0  # between two words on progress

taxonomy_path = click.option(
    "--taxonomy-path",
    type=click.Path(path_type=Path),
    default=Path("taxonomy"),
    show_default=True,
    help=_("Folder of the taxonomy."),
)
yaml_rules = click.option(
    "--yaml-rules",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=_("Configuration of yamllint; its findings come on top."),
)
as_json_option = click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))


@click.group(help=_("Check, compare and create lessons."))
def taxonomy() -> None:
    """Hold the verbs on lessons."""


@taxonomy.command(help=_("Say what is wrong with lessons, by line, and how to mend it."))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@taxonomy_path
@click.option(
    "--taxonomy-base",
    metavar="REV|empty",
    help=_("Check only lessons that changed since this git revision; empty: all of them."),
)
@yaml_rules
@click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help=_("How findings are printed."),
)
@click.option("--strict", is_flag=True, help=_("Fail on warnings too."))
def check(
    paths: tuple[Path, ...],
    taxonomy_path: Path,
    taxonomy_base: str | None,
    yaml_rules: Path | None,
    report_format: str,
    *,
    strict: bool,
) -> None:
    """Check lessons; exit status 1 if one cannot be taught."""
    from tiza.taxonomy.diff import diff, existing
    from tiza.taxonomy.find import find

    if taxonomy_base is not None and paths:
        raise click.UsageError(_("Give either PATHS or --taxonomy-base."))
    if taxonomy_base is not None:
        candidates = existing(diff(taxonomy_path, taxonomy_base), taxonomy_path)
    else:
        candidates = find(paths or [taxonomy_path], taxonomy_path)
    _check(candidates, yaml_rules, report_format, strict=strict)


def _check(
    candidates: "Iterable[Candidate]",
    yaml_rules: Path | None,
    report_format: str | None,
    *,
    strict: bool = False,
) -> None:
    """Check and report; exit with 1 if there are errors. Without a format, report nothing."""
    from tiza.settings import load
    from tiza.taxonomy.check import Options
    from tiza.taxonomy.check import check as check_lessons
    from tiza.taxonomy.lint import linted
    from tiza.taxonomy.report import Counts, make

    if yaml_rules is not None:
        candidates = linted(candidates, yaml_rules)
    report = make(report_format, sys.stdout, terminal_language()) if report_format else None
    counts = Counts()
    for checked in _with_progress(check_lessons(candidates, Options(load().var_path / CACHE))):
        counts.add(checked)
        if report:
            report.add(checked)
    if report:
        report.end(counts)
    if counts.errors or (strict and counts.warnings):
        sys.exit(1)


def _with_progress(checked: "Iterator[Checked]") -> "Iterator[Checked]":
    """Pass everything on; when it takes long, say on stderr how far it has come and how fast."""
    terminal = sys.stderr.isatty()
    started = said = time.monotonic()
    end = "\r" if terminal else "\n"
    for number, one in enumerate(checked, 1):
        now = time.monotonic()
        if now - said > (TERMINAL_SECONDS if terminal else LOG_SECONDS):
            said = now
            rate = number / (now - started)
            words = _("Checked: {number} ({rate:.0f} per second)")
            print(words.format(number=number, rate=rate), end=end, file=sys.stderr, flush=True)
        yield one
    if terminal and said != started:
        print("\x1b[K", end="", file=sys.stderr, flush=True)


@taxonomy.command(help=_("List the lessons that changed since a git revision, and check them."))
@taxonomy_path
@click.option(
    "--taxonomy-base",
    metavar="REV|empty",
    help=_("Revision to compare with; by default origin/main, else HEAD. empty: with nothing."),
)
@yaml_rules
@click.option("--quiet", is_flag=True, help=_("Print nothing; the exit status tells."))
@as_json_option
def diff(
    taxonomy_path: Path,
    taxonomy_base: str | None,
    yaml_rules: Path | None,
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    """Print changes; exit status 1 if a changed lesson cannot be taught."""
    from tiza.taxonomy.diff import Status, existing
    from tiza.taxonomy.diff import diff as changes_since
    from tiza.taxonomy.report.report import printable

    changes = changes_since(taxonomy_path, taxonomy_base)
    if as_json:
        rows = [
            {"status": c.status, "path": printable(c.path), "before": c.before and str(c.before)}
            for c in changes
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if quiet:
        _check(existing(changes, taxonomy_path), yaml_rules, None)
        return
    words = {
        Status.ADDED: _("new"),
        Status.CHANGED: _("changed"),
        Status.RENAMED: _("moved"),
        Status.REMOVED: _("removed"),
    }
    width = max(map(len, words.values()))
    for change in changes:
        before = f"{printable(change.before)} → " if change.before else ""
        click.echo(f"{words[change.status]:<{width}}  {before}{printable(change.path)}")
    if not changes:
        click.echo(_("No lesson has changed."))
        return
    click.echo()
    _check(existing(changes, taxonomy_path), yaml_rules, "text")


@taxonomy.command(help=_("Show the subjects and how many lessons and questions they have."))
@taxonomy_path
@click.option("--depth", type=click.IntRange(1), help=_("Levels to show; by default all."))
@as_json_option
def tree(taxonomy_path: Path, depth: int | None, *, as_json: bool) -> None:
    """Print the tree with its counts."""
    from tiza.settings import load
    from tiza.taxonomy.cache import Cache
    from tiza.taxonomy.report.report import printable
    from tiza.taxonomy.tree import draw, grow

    with closing(Cache(load().var_path / CACHE)) as cache:
        root = grow(taxonomy_path, cache)
    if as_json:
        click.echo(json.dumps(root.as_json(), indent=2, ensure_ascii=True))
        return
    counted = _("lessons: {lessons}, questions: {questions}, exam: {exam}")
    for drawing, branch in [("", root), *draw(root, depth)]:
        name = click.style(printable(Path(branch.name)), bold=branch.lessons > 0)
        count = counted.format_map(vars(branch)) if branch.lessons else ""
        click.echo(f"{drawing}{name}  {click.style(count, fg='cyan')}".rstrip())


@taxonomy.command(help=_("Begin a lesson: asks what is not given, and writes a file to fill in."))
@taxonomy_path
@click.option("--kind", type=click.Choice(KINDS), help=_("Facts (knowledge) or a skill."))
@click.option("--subject", help=_("Folder such as science/biology, or a Dewey number such as 570."))
@click.option("--name", help=_("Short title of the lesson."))
@click.option("--language", help=_("Language of the lesson, such as en or es."))
@click.option("--created-by", help=_("Your name."))
@click.option("--grounded/--freeform", default=None, help=_("With a text for each question?"))
def new(  # noqa: PLR0917  # click passes every option by name
    taxonomy_path: Path,
    kind: str | None,
    subject: str | None,
    name: str | None,
    language: str | None,
    created_by: str | None,
    *,
    grounded: bool | None,
) -> None:
    """Write a commented template in its place."""
    from tiza.taxonomy.lesson import Kind
    from tiza.taxonomy.new import NewLesson, create

    reader = terminal_language()
    kind = kind or click.prompt(
        _("Facts (knowledge) or a skill"), type=click.Choice(KINDS), default=KINDS[0]
    )
    subject = subject or click.prompt(_("Subject: a folder or a Dewey number (500 is science)"))
    name = name or click.prompt(_("Short title"))
    language = language or click.prompt(_("Language"), default=reader)
    created_by = created_by or click.prompt(_("Your name"))
    if grounded is None:
        grounded = click.confirm(_("Does a text go with each question?"), default=False)
    lesson = NewLesson(Kind(kind), subject, name, language, created_by, grounded)
    path = create(lesson, taxonomy_path, reader)
    click.echo(_("Written: {path}").format(path=path))
    click.echo(_("Fill it in, then run: tiza taxonomy check {path}").format(path=path))


@taxonomy.command(help=_("Print the history of the lessons as Markdown, from git."))
@taxonomy_path
@click.option("--since", metavar="REV", help=_("Only what came after this git revision."))
def changelog(taxonomy_path: Path, since: str | None) -> None:
    """Print what was added, changed and removed, and by whom."""
    from tiza.taxonomy.changelog import history, markdown

    for line in markdown(history(taxonomy_path, since), terminal_language()):
        click.echo(line.encode("utf-8", "replace").decode())
