"""The command line, as a person types it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.engines.processes import TIZA, clean_environment, finish, put_program
from tiza import __version__
from tiza.cli.verbs import tiza
from tiza.settings import Settings

# Runs `tiza` once for every list of words in argv[1], in one process, and prints what was printed.
MANY = """
import contextlib, io, json, sys
from tiza.cli import main
texts = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["tiza", *words]
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
        main()
    texts.append(text.getvalue())
print(json.dumps(texts))
"""


def run(
    *words: str, cwd: Path, status: int = 0, **environment: object
) -> subprocess.CompletedProcess[str]:
    """Run `tiza` and check its exit status, and that no traceback was printed."""
    done = finish([*TIZA, *words], cwd, clean_environment(**environment))
    assert done.returncode == status, done
    assert "Traceback" not in done.stderr
    return done


def verbs(group: click.Group, *above: str) -> Iterator[list[str]]:
    """Yield the words of every group and verb."""
    yield [*above]
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from verbs(command, *above, name)
        else:
            yield [*above, name]


def helps(language: str, folder: Path) -> dict[str, str]:
    """Return the help of every verb."""
    words = [*verbs(tiza)]
    asked = json.dumps([[*verb, "--help"] for verb in words])
    environment = clean_environment() | {"TIZA_LANG": language}
    done = finish([sys.executable, "-c", MANY, asked], folder, environment)
    return dict(zip(map(" ".join, words), json.loads(done.stdout), strict=True))


def test_help_is_in_both_languages_when_it_is_asked_of_any_verb(tmp_path: Path) -> None:
    """No verb, no option and none of click's own words stays in English for who reads Spanish."""
    english, spanish = helps("en", tmp_path), helps("es", tmp_path)

    assert {"", "up", "model serve", "config show", "system info"} <= english.keys()
    for verb, text in english.items():
        assert text.startswith(f"Usage: tiza {verb}".strip()), verb
        assert spanish[verb].startswith("Uso: tiza"), verb
        sentences = [line.strip() for line in text.splitlines() if len(line.split()) > 3]
        same = [line for line in sentences if line in spanish[verb] and "[OPTIONS]" not in line]
        assert not same, verb


@pytest.mark.parametrize(
    ("variables", "spanish"),
    [
        ({"TIZA_LANG": "es"}, True),
        ({"TIZA_LANG": "", "LANG": "es_MX.UTF-8"}, True),
        ({"TIZA_LANG": "", "LC_ALL": "es", "LANG": "en_US.UTF-8"}, True),
        ({"TIZA_LANG": "en", "LANG": "es_ES.UTF-8"}, False),
        ({"TIZA_LANG": "", "LANG": "fr_FR.UTF-8"}, False),
        ({"TIZA_LANG": "", "LANG": "C"}, False),
        ({"TIZA_LANG": ""}, False),
    ],
)
def test_language_is_the_terminals_when_it_is_one_of_ours(
    variables: dict[str, str], *, spanish: bool, tmp_path: Path
) -> None:
    """TIZA_LANG, then the locale variables; any other language is answered in English."""
    done = finish([*TIZA, "-h"], tmp_path, clean_environment() | variables)

    assert done.returncode == 0
    assert done.stdout.startswith("Uso:" if spanish else "Usage:")


def test_version_is_printed_when_it_is_asked_for(tmp_path: Path) -> None:
    """The version is the package's."""
    assert run("--version", cwd=tmp_path).stdout == f"Tiza {__version__}\n"


def test_command_is_the_module_when_it_is_installed(tmp_path: Path) -> None:
    """`tiza` and `python -m tiza` are the same program."""
    command = Path(sys.executable).with_name("tiza")

    assert finish([str(command), "-h"], tmp_path).stdout == run("-h", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    "words",
    [
        "",
        "model",
        "teleport",
        "up --fast",
        "model serve --engine magic",
        "model serve --port 0",
        "model serve --port eighty",
        "model serve --gpus 0",
        "config show extra",
    ],
)
def test_usage_is_shown_with_status_2_when_the_command_is_wrong(words: str, tmp_path: Path) -> None:
    """Wrong usage is told apart from work that failed."""
    done = run(*words.split(), cwd=tmp_path, status=2)

    assert done.stdout == ""
    assert "Usage: tiza" in done.stderr


@pytest.mark.parametrize("language", ["en", "es"])
def test_error_names_the_variables_when_settings_cannot_be_used(
    language: str, tmp_path: Path
) -> None:
    """One error, status 1, a line for each variable, in the terminal's language."""
    wrong = {"PORT": "abc", "VLLM_API_URL": "foo", "VLLM_API_KEY": "a-secret-key"}
    settings = {**wrong, "TIZA_LANG": language}

    for verb in ("config show", "up", "model serve"):
        done = run(*verb.split(), cwd=tmp_path, status=1, **settings)

        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("  PORT: ") == done.stderr.count("  VLLM_API_URL: ") == 1
        assert ("must be a whole number" in done.stderr) == (language == "en")
        assert "a-secret-key" not in done.stderr


# The rest of the command line is real; only the work is replaced by what Ctrl-C makes of it.
INTERRUPTED = """
import sys
def interrupted(*_, **__): raise KeyboardInterrupt
{patch}
sys.argv = ["tiza", "config", "show"]
from tiza.cli import main
main()
"""


@pytest.mark.parametrize(
    "patch",
    [
        "import tiza.settings; tiza.settings.load = interrupted",
        "sys.meta_path.insert(0, type('Slow', (), {'find_spec': interrupted}))",
    ],
    ids=["in the work", "while importing"],
)
def test_status_is_130_when_the_work_is_interrupted(patch: str, tmp_path: Path) -> None:
    """Ctrl-C ends without a traceback, with the status that shells know."""
    script = INTERRUPTED.format(patch=f"import tiza.cli; {patch}")

    done = finish([sys.executable, "-c", script], tmp_path)

    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr.strip() == ""


def test_config_shows_every_setting_when_it_is_asked_for(tmp_path: Path) -> None:
    """A line for each setting, with its source where that is not the default."""
    (tmp_path / ".env").write_text("MODEL_PATH=samples_0\nPORT=1234\n")

    done = run("config", "show", cwd=tmp_path, PORT=4321)

    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert [*lines] == [name.upper() for name in Settings.model_fields]
    assert lines["PORT"].split()[1:] == ["4321", "←", "environment"]
    assert lines["MODEL_PATH"].split()[1:] == ['"samples_0"', "←", ".env"]
    assert lines["VLLM_PORT"].split()[1:] == ["8080"]


def test_config_is_json_when_a_program_reads_it(tmp_path: Path) -> None:
    """The same facts with their types."""
    (tmp_path / ".env").write_text("MODEL_PATH=samples_0\n")

    done = run("config", "show", "--json", cwd=tmp_path, CORS_ORIGINS="https://escuela.example")

    rows = json.loads(done.stdout)
    assert [*rows] == [name.upper() for name in Settings.model_fields]
    assert rows["PORT"] == {"value": 8000, "from": "default"}
    assert rows["MODEL_PATH"] == {"value": "samples_0", "from": ".env"}
    assert rows["CORS_ORIGINS"]["value"] == ["https://escuela.example"]
    assert rows["CORS_ORIGINS"]["from"] == "environment"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_config_masks_the_key_when_it_is_set(flags: list[str], tmp_path: Path) -> None:
    """A screen that others see shows that there is a key, not which."""
    (tmp_path / ".env").write_text("VLLM_API_KEY=key-of-the-file\n")

    for key in ("key-of-the-environment", ""):
        done = run("config", "show", *flags, cwd=tmp_path, VLLM_API_KEY=key)
        assert "key-of-" not in done.stdout + done.stderr
        assert "***" in done.stdout


def test_config_is_shown_when_the_terminal_lacks_our_signs(tmp_path: Path) -> None:
    """A terminal without ← gets a question mark, not a traceback."""
    done = run("config", "show", cwd=tmp_path, APP_NAME="School", PYTHONIOENCODING="latin-1")

    assert '"School"  ? environment' in done.stdout


def test_config_ends_quietly_when_the_reader_has_left(tmp_path: Path) -> None:
    """`tiza config show | head -1` prints one line and no error."""
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(
            [*TIZA, "config", "show"],
            cwd=tmp_path,
            env=clean_environment(),
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert b"Traceback" not in done.stderr


def test_system_info_tells_the_machine_when_it_is_asked_for(tmp_path: Path) -> None:
    """People read lines, programs read JSON, of the same facts."""
    script = "echo 'Tesla T4, 15360, 7.5'; echo 'Tesla T4, 15360, 7.5'"
    path = f"{put_program(tmp_path / 'bin', 'nvidia-smi', script).parent}:/bin:/usr/bin"

    facts = json.loads(run("system", "info", "--json", cwd=tmp_path, PATH=path).stdout)
    lines = run("system", "info", cwd=tmp_path, PATH=path).stdout.splitlines()

    assert facts["tiza"] == __version__
    assert facts["cores"] == os.cpu_count()
    assert facts["gpus"] == ["Tesla T4, 15 GiB, compute capability 7.5"] * 2
    assert any(package.startswith("xllamacpp ") for package in facts["packages"])
    assert [line for line in lines if line.endswith("Tesla T4, 15 GiB, compute capability 7.5")]
    assert len(lines) == len(facts) - 2 + len(facts["gpus"]) + len(facts["packages"])
