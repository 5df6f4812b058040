"""Settings: where they come from, what they may be, and what is said of those that may not."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tiza.errors import SettingsError
from tiza.settings import Settings, load, sources

Monkey = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Monkey) -> Path:
    """Work in an empty folder, with no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def test_load_has_the_designs_defaults_when_nothing_is_set() -> None:
    """The values that the original design names hold without any setting."""
    settings = load()

    assert (settings.port, settings.vllm_port) == (8000, 8080)
    assert settings.host == "127.0.0.1"
    assert settings.vllm_api_url == "http://127.0.0.1:8080"
    assert (settings.vllm_gpu_memory, settings.vllm_max_model_len) == (0.85, 4096)
    assert (settings.default_max_tokens, settings.default_temperature) == (500, 0.7)
    assert (settings.app_name, settings.app_version) == ("Educational Chatbot API", "1.0.0")
    assert settings.max_message_chars == 8_000
    assert (settings.max_history_turns, settings.max_history_chars) == (100, 32_000)
    assert settings.max_body_bytes == 256 * 1024
    assert settings.cors_origins == []
    assert settings.logs_path == Path("var/logs")


def test_load_prefers_flags_to_environment_to_file_when_all_are_set(
    folder: Path, monkeypatch: Monkey
) -> None:
    """The nearer to the command, the stronger; a flag that was not given says nothing."""
    (folder / ".env").write_text("PORT=1111\nVLLM_PORT=2222\nMODEL_PATH=from-file\n")
    monkeypatch.setenv("PORT", "3333")
    monkeypatch.setenv("VLLM_PORT", "4444")

    settings = load(vllm_port=5555, port=None)

    assert (settings.model_path, settings.port, settings.vllm_port) == ("from-file", 3333, 5555)


def test_load_takes_the_default_when_a_variable_is_empty(folder: Path, monkeypatch: Monkey) -> None:
    """`PORT=` in Compose or in .env means: not set."""
    (folder / ".env").write_text("VLLM_PORT=\n")
    monkeypatch.setenv("PORT", "")

    assert (load().port, load().vllm_port) == (8000, 8080)


def test_load_ignores_other_variables_when_the_file_has_them(folder: Path) -> None:
    """The file is shared with Docker Compose, which has names of its own."""
    (folder / ".env").write_text("COMPOSE_PROJECT_NAME=school\nBACKEND_PORT=8000\nPORT=9000\n")

    assert load().port == 9000


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("https://a.example", ["https://a.example"]),
        (
            " https://a.example/ , http://b.example:3000,",
            ["https://a.example", "http://b.example:3000"],
        ),
        ("*", ["*"]),
        (",", []),
    ],
)
def test_cors_origins_are_split_when_they_are_listed(
    given: str, origins: list[str], monkeypatch: Monkey
) -> None:
    """A list is written with commas; an origin has no slash at its end."""
    monkeypatch.setenv("CORS_ORIGINS", given)

    assert load().cors_origins == origins


@pytest.mark.parametrize(
    "given",
    [
        "http://vllm-server:8000",
        "http://vllm-server:8000/",
        "http://vllm-server:8000/v1",
        "http://vllm-server:8000/v1/",
    ],
)
def test_engine_address_is_the_same_when_it_is_written_in_another_way(
    given: str, monkeypatch: Monkey
) -> None:
    """The engine's address may end in `/v1`, as OpenAI's clients want it, or not."""
    monkeypatch.setenv("VLLM_API_URL", given)

    assert load().vllm_api_url == "http://vllm-server:8000"


def test_engine_addresses_are_split_when_there_are_several(monkeypatch: Monkey) -> None:
    """A list is written with commas; an engine that is named twice is one."""
    monkeypatch.setenv("VLLM_API_URL", " http://a:8000/v1, http://b:8000/ ,http://a:8000,")

    assert load().engine_urls == ["http://a:8000", "http://b:8000"]


def test_log_level_may_be_shouted_when_it_is_set(monkeypatch: Monkey) -> None:
    """INFO and info are the same level."""
    monkeypatch.setenv("LOG_LEVEL", "WARNING")

    assert load().log_level == "warning"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("VLLM_PORT", "80.5"),
        ("VLLM_API_URL", "foo"),
        ("VLLM_API_URL", "ftp://engine"),
        ("VLLM_API_URL", "http://a:8000,b:8000"),
        ("VLLM_API_URL", ","),
        ("VLLM_API_URL", "http://"),
        ("VLLM_API_URL", "http://engine:eighty"),
        ("VLLM_API_URL", "http://engine:65536"),
        ("PUBLIC_URL", "https:///class"),
        ("VLLM_MAX_MODEL_LEN", "10"),
        ("VLLM_GPU_MEMORY", "0"),
        ("VLLM_GPU_MEMORY", "85"),
        ("VLLM_DTYPE", "int8"),
        ("LLAMA_SLOTS", "0"),
        ("DEFAULT_TEMPERATURE", "2.1"),
        ("DEFAULT_TEMPERATURE", "nan"),
        ("DEFAULT_MAX_TOKENS", "0"),
        ("MAX_BODY_BYTES", "1"),
        ("DRAIN_SECONDS", "-1"),
        ("QUEUE_SECONDS", "0"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_load_names_the_variable_when_its_value_cannot_be_used(
    variable: str, value: str, language: str, monkeypatch: Monkey
) -> None:
    """One line says which variable and why, in every language."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        load()

    _, problem, _ = caught.value.message(language).splitlines()
    assert problem.startswith(f"  {variable}: ")
    assert "{" not in problem
    assert "Input should" not in problem


def test_load_names_every_variable_when_several_cannot_be_used(
    folder: Path, monkeypatch: Monkey
) -> None:
    """Who mends settings learns of all of them at once, wherever they come from."""
    (folder / ".env").write_text("PORT=abc\n")
    monkeypatch.setenv("LLAMA_SLOTS", "many")

    with pytest.raises(SettingsError) as caught:
        load(vllm_api_url="foo")

    for variable in ("PORT", "LLAMA_SLOTS", "VLLM_API_URL"):
        assert caught.value.message().count(f"  {variable}: ") == 1


def test_load_names_the_file_when_it_is_not_utf8(folder: Path) -> None:
    """A .env that an old editor saved in Latin-1 is told in a sentence."""
    (folder / ".env").write_bytes("APP_NAME=Español\n".encode("latin-1"))

    with pytest.raises(SettingsError, match=r"(?i)\.env: .*utf-8"):
        load()


def test_sources_tell_where_each_value_comes_from_when_they_differ(
    folder: Path, monkeypatch: Monkey
) -> None:
    """Environment, file and default are told apart; what is empty was not set."""
    (folder / ".env").write_text("PORT=1111\nmodel_path=x\nLOG_LEVEL=\n")
    monkeypatch.setenv("PORT", "2222")
    monkeypatch.setenv("HOST", "")

    origin = sources(load())

    assert origin["port"] == "environment"
    assert origin["model_path"] == ".env"
    assert origin["host"] == origin["log_level"] == origin["vllm_port"] == "default"
    assert origin.keys() == Settings.model_fields.keys()


def test_key_is_hidden_when_settings_are_printed(monkeypatch: Monkey) -> None:
    """No log line and no traceback that shows the settings shows the key."""
    monkeypatch.setenv("VLLM_API_KEY", "a-secret-key")

    assert "a-secret-key" not in repr(load()) + str(load()) + load().model_dump_json()


def test_settings_do_not_change_when_the_program_runs() -> None:
    """What was checked at the start stays as it is."""
    with pytest.raises(ValidationError):
        load().port = 1
