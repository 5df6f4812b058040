"""The store: what is there, what is in use, what comes and goes."""

import threading
from pathlib import Path

import pytest

from tests.models.test_find import made
from tiza.errors import (
    ActiveModelGone,
    ModelActive,
    ModelExists,
    ModelNeeded,
    ModelNotFound,
    ModelUnnamable,
    SpaceMissing,
)
from tiza.models import place, store
from tiza.models.find import SHIPPED_NAME, find
from tiza.models.record import read_record, write_record


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Make a store with a base, a tuned model and an adapter of the base."""
    folder = tmp_path / "models"
    made(folder / "base_0" / "model.safetensors")
    made(folder / "samples_0" / "model.gguf").write_bytes(b"x" * 1000)
    write_record(folder / "samples_0", {"parent": "base_0", "run": "r1", "report": {"exam": 0.8}})
    made(folder / "samples_1" / "adapter_model.safetensors")
    made(folder / "samples_1" / "adapter_config.json")
    write_record(folder / "samples_1", {"parent": "base_0"})
    made(folder / ".samples_2.part" / "model.gguf")
    return folder


def test_entries_show_each_model_when_the_store_has_some(models: Path) -> None:
    """The shipped one comes first; unfinished work is not shown."""
    found = {entry.name: entry for entry in store.entries(models)}

    assert list(found) == [SHIPPED_NAME, "base_0", "samples_0", "samples_1"]
    tuned = found["samples_0"]
    assert (tuned.parent, tuned.run, tuned.exam, tuned.forms) == ("base_0", "r1", 0.8, ["gguf"])
    assert tuned.size > 1000
    assert found["samples_1"].forms == ["adapter"]
    assert [entry.name for entry in found.values() if entry.active] == [SHIPPED_NAME]


def test_entries_name_the_shipped_model_when_there_is_no_store(tmp_path: Path) -> None:
    """Before the first training there is a model all the same."""
    assert [entry.name for entry in store.entries(tmp_path / "models")] == [SHIPPED_NAME]


@pytest.mark.parametrize("record", ["", "[]", "{", '{"report": 3, "parent": null}'])
def test_entries_go_on_when_a_record_is_damaged(record: str, models: Path) -> None:
    """A record is a note, not a condition."""
    (models / "samples_0" / "tiza.json").write_text(record)

    assert "samples_0" in {entry.name for entry in store.entries(models)}


def test_use_decides_what_is_found_when_no_path_is_set(models: Path) -> None:
    """MODEL_PATH comes before the choice in the store, and the choice before the shipped model."""
    store.use(models, "samples_0")

    assert find("", models).name == "samples_0"
    assert find("base_0", models).name == "base_0"
    assert find("shipped", models).name == SHIPPED_NAME
    assert [e.name for e in store.entries(models) if e.active] == ["samples_0"]
    assert [e.name for e in store.entries(models, "base_0") if e.active] == ["base_0"]


@pytest.mark.parametrize("name", ["", "shipped", "base", SHIPPED_NAME])
def test_use_goes_back_when_the_shipped_model_is_named(name: str, models: Path) -> None:
    """Without a name, or by any name of it, the shipped model serves again."""
    store.use(models, "samples_0")

    assert store.use(models, name) == SHIPPED_NAME
    assert find("", models).name == SHIPPED_NAME


def test_former_is_who_answered_before_when_another_is_chosen(models: Path) -> None:
    """Going back is choosing that one; one that has gone is none."""
    assert store.former(models) == ""
    store.use(models, "samples_0")
    assert store.former(models) == SHIPPED_NAME
    store.use(models, "base_0")
    store.use(models, "base_0")
    assert store.former(models) == "samples_0"
    store.remove(models, "samples_0")
    assert store.former(models) == ""


def test_use_takes_an_adapter_when_its_base_is_there(models: Path) -> None:
    """It is served beside its base, and is the active one."""
    store.use(models, "samples_1")

    assert [entry.name for entry in store.entries(models) if entry.active] == ["samples_1"]
    with pytest.raises(ModelActive):
        store.remove(models, "samples_1")


@pytest.mark.parametrize("name", ["absent", "samples_1", "../models/samples_0", ".samples_2.part"])
def test_use_changes_nothing_when_the_name_is_no_model(name: str, models: Path) -> None:
    """An adapter without its base, an unfinished folder or a path cannot be served by name."""
    write_record(models / "samples_1", {"parent": "absent"})
    store.use(models, "samples_0")

    with pytest.raises(ModelNotFound):
        store.use(models, name)

    assert find("", models).name == "samples_0"


def test_find_names_the_command_when_the_chosen_model_is_gone(models: Path) -> None:
    """A model that somebody deleted by hand is not silently replaced by another."""
    store.use(models, "samples_0")
    (models / "samples_0").rename(models.parent / "elsewhere")

    with pytest.raises(ActiveModelGone, match="tiza model use"):
        find("", models)
    assert not any(entry.active for entry in store.entries(models))
    store.use(models)
    assert find("", models).name == SHIPPED_NAME


def test_remove_deletes_a_model_when_nothing_needs_it(models: Path) -> None:
    """The folder goes, and nothing hidden stays."""
    store.remove(models, "samples_0")

    assert sorted(path.name for path in models.iterdir()) == [
        ".samples_2.part",
        "base_0",
        "samples_1",
    ]


def test_remove_refuses_when_the_model_is_in_use(models: Path) -> None:
    """Neither the chosen one nor the one that MODEL_PATH names, by name or by path."""
    store.use(models, "samples_0")

    for name, path in [("samples_0", ""), ("samples_0", "base_0"), ("samples_1", "samples_1")]:
        if path == "samples_1":
            made(models / "samples_1" / "model.gguf")
        with pytest.raises(ModelActive):
            store.remove(models, name, path)
    with pytest.raises(ModelActive):
        store.remove(models, "base_0", str(models / "base_0"))
    assert (models / "base_0").is_dir()


def test_remove_refuses_when_an_adapter_needs_the_model(models: Path) -> None:
    """A merged child stands alone, an adapter does not."""
    with pytest.raises(ModelNeeded, match="samples_1"):
        store.remove(models, "base_0")

    store.remove(models, "samples_1")
    store.remove(models, "base_0")


def test_add_counts_up_when_models_are_there(models: Path) -> None:
    """The next number follows the highest, so that a name is not used for another model."""
    made(models / "samples_7" / "model.gguf")

    new = store.add(models, lambda folder: made(folder / "model.gguf"))

    assert new == models / "samples_8"
    assert (new / "model.gguf").is_file()
    assert store.add(models, lambda _: None, "first").name == "first_0"


def test_add_gives_each_its_own_number_when_several_end_at_once(tmp_path: Path) -> None:
    """Names are race-free."""
    gate = threading.Barrier(8)

    def fill(folder: Path) -> None:
        made(folder / "model.gguf")
        gate.wait()

    threads = [threading.Thread(target=store.add, args=(tmp_path, fill)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(p.name for p in tmp_path.iterdir()) == [f"samples_{n}" for n in range(8)]


def test_add_leaves_nothing_when_filling_fails(tmp_path: Path) -> None:
    """A half-written model is never seen, and its rest is cleared away."""

    def fill(folder: Path) -> None:
        made(folder / "model.gguf")
        assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add(tmp_path, fill)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "shipped", "base", "-x", "a\nb"])
def test_name_is_refused_when_it_could_not_be_found_again(name: str) -> None:
    """A name is a plain word that means nothing else."""
    with pytest.raises(ModelUnnamable):
        store.check_name(name)


def test_record_keeps_other_facts_when_one_is_added(tmp_path: Path) -> None:
    """Each stage adds what it knows."""
    write_record(tmp_path, {"parent": "x", "run": "r"})
    write_record(tmp_path, {"report": {"exam": 1}, "run": "s"})

    assert read_record(tmp_path) == {"parent": "x", "run": "s", "report": {"exam": 1}}


def test_new_file_keeps_what_appeared_meanwhile(tmp_path: Path) -> None:
    """Another program's file of the same name is not overwritten at the last moment."""
    target = tmp_path / "model.gguf"

    def both() -> None:
        with place.new_file(target) as part:
            part.write_text("ours")
            target.write_text("theirs")

    with pytest.raises(ModelExists):
        both()

    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_space_is_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    """The error names the disk's free and the needed megabytes; the folder need not exist yet."""
    with pytest.raises(SpaceMissing, match="1000000050 MB are needed"):
        place.check_space(tmp_path / "not" / "yet", 10**15)

    place.check_space(tmp_path / "not" / "yet", 1)
