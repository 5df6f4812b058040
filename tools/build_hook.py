"""What a build adds to the package: compiled translations, and, in a wheel, page and recipes.

A hatchling build hook (https://hatch.pypa.io/latest/plugins/build-hook/custom/); knows nothing of
what the messages say.
"""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TizaBuild(BuildHookInterface[Any]):
    """Writes one `.mo` beside each `.po`; a checkout serves the page from `web/` itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile every catalogue below `src/`, and add the page and the recipes to a wheel."""
        for po in Path(self.root, "src").rglob("*.po"):
            with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))
        if version == "standard":
            page = sorted(Path(self.root, "web").iterdir())
            build_data["force_include"] |= {str(path): f"tiza/web/{path.name}" for path in page}
            build_data["force_include"][str(Path(self.root, "recipes"))] = "tiza/recipes"
