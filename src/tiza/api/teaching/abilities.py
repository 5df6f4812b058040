"""What this service can do for teachers: in a container it neither trains nor chooses a model."""

import os
from importlib.util import find_spec
from pathlib import Path

from tiza.settings import Settings

NEEDED = ("torch", "transformers", "peft")  # looked for, never imported


def trains(settings: Settings) -> bool:
    """Tell whether a training can begin here; looked up anew, as it may be installed meanwhile."""
    is_installed = all(find_spec(package) is not None for package in NEEDED)
    return is_installed and writes(settings.models_path)


def writes(folder: Path) -> bool:
    """Tell whether a folder can be written to, or be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
