"""`tiza model train` behind its command line: run or file, recipe and base become an order.

Imports torch only when there is something to train.
"""

import hashlib
import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiza.errors import MissingExtra
from tiza.models.find import find as find_model
from tiza.progress import Progress
from tiza.runs import samples
from tiza.runs.run import Run, create, find, runs
from tiza.settings import Settings
from tiza.train.recipe import DEFAULT_CPU, DEFAULT_GPU, load

NEEDED = {"torch": "torch==2.13.0", "transformers": "transformers", "peft": "peft"}


def train_in_run(
    settings: Settings,
    data_path: str,
    recipe_name: str | None,
    base: str,
    *,
    gpus: int,
    flags: Mapping[str, object],
) -> dict[str, Any]:
    """Train and return what the manifest holds, and the result's `path`.

    Raises:
        MissingExtra: torch or transformers are not installed.
        Every error of `tiza.train.stage.train`, `recipe.load`, `runs.find` and `models.find`.

    """
    check_extra()
    from tiza.models.unpack import trainable
    from tiza.train.stage import Order, train

    name = recipe_name or default_recipe()
    recipe = load(name, **flags)
    run = _run(data_path, settings.runs_path)
    model = find_model(base, settings.models_path)
    folder = trainable(model, settings.cache_path)
    order = Order(run, folder, recipe, name, settings.system_prompt)
    if gpus > 1:
        from tiza.train.gpus import train_on

        facts = train_on(gpus, order)
    else:
        with Progress() as progress:
            facts = dict(train(order, progress))
    return {**facts, "path": str(run.path / facts["result"])}


def _run(data_path: str, folder: Path) -> Run:
    """Return the run, or, for a file, the run that holds a copy of it; made at its first use."""
    path = Path(data_path).expanduser()
    if not path.is_file():
        return find(data_path, folder)
    for _sample in samples.read(path):
        pass  # a broken file makes no run
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for run in reversed(runs(folder)):
        if run.section("data").get("sha256") == digest:
            return run
    run = create(folder)
    shutil.copyfile(path, run.train)
    run.record("data", {"path": str(path.resolve()), "sha256": digest})
    return run


def default_recipe() -> str:
    """Return the recipe for this machine."""
    import torch

    return DEFAULT_GPU if torch.cuda.is_available() else DEFAULT_CPU


def check_extra() -> None:
    """Make sure that what training takes is installed.

    Raises:
        MissingExtra: it is not.

    """
    for package, wanted in NEEDED.items():
        if importlib.util.find_spec(package) is None:
            command = f'pip install "{wanted}" "tiza[train]"'
            raise MissingExtra(package=package, command=command)
