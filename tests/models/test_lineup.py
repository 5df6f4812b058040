"""Which base and which adapters are served together."""

import json
from pathlib import Path

import pytest

from tiza.errors import ModelNotFound
from tiza.models.find import SHIPPED_NAME
from tiza.models.lineup import Adapter, line_up


def made(path: Path, text: str = "") -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def adapter(folder: Path, base: str | None, key: str = "base") -> Path:
    """Put an adapter into a store, in both forms."""
    made(folder / "adapter.gguf")
    made(folder / "adapter" / "adapter_config.json", '{"r": 8}')
    if base is not None:
        made(folder / "tiza.json", json.dumps({key: base}))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Make a store with a model, two adapters of it, and one of the shipped model."""
    made(tmp_path / "samples_0" / "model.gguf")
    adapter(tmp_path / "a", "samples_0")
    adapter(tmp_path / "b", "samples_0", key="parent")
    adapter(tmp_path / "c", None)
    return tmp_path


def test_lineup_is_the_base_and_its_adapters_when_a_base_is_named(store: Path) -> None:
    """Every adapter of the store is there whose record names the base, and no other."""
    lineup = line_up("samples_0", store)

    assert lineup.active == lineup.base.name == "samples_0"
    assert lineup.chosen is None
    assert lineup.adapters == (
        Adapter("a", store / "a" / "adapter.gguf", store / "a" / "adapter"),
        Adapter("b", store / "b" / "adapter.gguf", store / "b" / "adapter"),
    )
    assert [each.rank for each in lineup.adapters] == [8, 8]
    assert lineup.without_siblings().adapters == ()


def test_lineup_has_the_adapter_first_when_it_is_named(store: Path) -> None:
    """Naming an adapter, by name or by path, finds its base and its siblings."""
    for named in ("b", str(store / "b")):
        lineup = line_up(named, store)

        assert lineup.base.name == "samples_0"
        assert lineup.active == "b"
        assert [each.name for each in lineup.adapters] == ["b", "a"]
        assert [each.name for each in lineup.without_siblings().adapters] == ["b"]


def test_lineup_follows_the_choice_when_nothing_is_named(store: Path) -> None:
    """What `tiza model use` chose may be an adapter; nothing chosen is the shipped model."""
    assert line_up("", store).active == SHIPPED_NAME

    made(store / ".active", "a\n")

    assert line_up("", store).active == "a"


@pytest.mark.parametrize("base", [None, "shipped", SHIPPED_NAME])
def test_lineup_takes_the_shipped_base_when_the_record_names_it_or_nothing(
    base: str | None, tmp_path: Path
) -> None:
    """An adapter without a base in its record is one of the model that comes with Tiza."""
    adapter(tmp_path / "a", base)

    assert [each.name for each in line_up("", tmp_path).adapters] == ["a"]
    assert line_up("a", tmp_path).base.name == SHIPPED_NAME


def test_lineup_takes_the_base_of_peft_when_there_is_no_record(store: Path) -> None:
    """The configuration of peft, beside the weights, names the base."""
    config = {"r": 4, "base_model_name_or_path": str(store / "samples_0")}
    made(store / "bare" / "adapter_config.json", json.dumps(config))

    lineup = line_up("bare", store)

    assert lineup.base.name == "samples_0"
    assert lineup.chosen == Adapter("bare", None, store / "bare")


def test_lineup_serves_the_gguf_when_the_base_was_unpacked_to_be_trained(store: Path) -> None:
    """Training needs another form of the base; the adapter is served beside what is served."""
    shipped = line_up("", store).base
    for name, gguf in (("own", store / "samples_0" / "model.gguf"), ("shipped", shipped.gguf)):
        made(store / ".cache" / name / "model.safetensors")
        made(store / ".cache" / name / "tiza.json", json.dumps({"unpacked_from": str(gguf)}))
        adapter(store / f"of_{name}", str(store / ".cache" / name), key="parent")

    assert line_up("of_own", store).base == line_up("samples_0", store).base
    assert line_up("of_shipped", store).base == shipped


def test_lineup_is_the_merged_model_when_the_base_of_its_adapter_is_gone(store: Path) -> None:
    """A folder may hold both: the adapter is served over its base as long as there is one."""
    made(store / "a" / "model.gguf")

    assert line_up("a", store).active == "a"
    assert line_up("a", store).base.name == "samples_0"

    (store / "samples_0" / "model.gguf").unlink()

    assert line_up("a", store).chosen is None
    assert line_up("a", store).base.name == "a"


def test_lineup_fails_when_the_base_is_gone(store: Path) -> None:
    """An adapter without its base cannot be chosen; as a sibling it is left out."""
    adapter(store / "lost", "no-such-base")

    with pytest.raises(ModelNotFound, match="no-such-base"):
        line_up("lost", store)
    assert [each.name for each in line_up("samples_0", store).adapters] == ["a", "b"]


@pytest.mark.parametrize("content", ["no json", "[]", '{"r": "many"}'])
def test_lineup_has_no_rank_when_peft_s_configuration_is_damaged(content: str, store: Path) -> None:
    """A damaged configuration is no reason to fail for who serves another model."""
    made(store / "a" / "adapter" / "adapter_config.json", content)

    assert [each.rank for each in line_up("samples_0", store).adapters] == [0, 8]
