"""`tiza model pull`: a model from the Hugging Face hub into the store.

Speaks the hub's HTTP interface (https://huggingface.co/docs/hub/api) at HF_ENDPOINT. Fetches what a
model needs and nothing that could run: no pickles and no code unless asked for by name. What has
arrived stays in a hidden folder of the store until all of it is there.
"""

import fcntl
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from gettext import gettext as _
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tiza.errors import HubFailed, HubFilesUnclear, ModelExists, ModelNotFound
from tiza.models import download
from tiza.models.place import check_space, settle
from tiza.models.record import RECORD, write_record
from tiza.models.store import check_name
from tiza.progress import Progress
from tiza.runs.run import now

ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
OTHERS = ["config.json", "generation_config.json", "tokenizer*", "special_tokens_map.json"]
OTHERS += ["added_tokens.json", "vocab.*", "merges.txt", "*.jinja", "adapter_config.json"]
OTHERS += ["LICENSE*", "NOTICE*", "README.md"]
NEVER = (RECORD, "*.part", ".*")
MOST_JSON = 50_000_000  # bytes of a listing
PLAIN = re.compile(r"[A-Za-z0-9_][\w. +-]*", re.ASCII)
KILOBYTE, MEGABYTE = 1000, 1_000_000
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Wanted:
    """What to fetch; `include` (patterns of file names) replaces the usual choice."""

    id: str
    revision: str = "main"
    name: str = ""
    include: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Hub:
    """Where, and as whom."""

    endpoint: str
    token: str = ""

    def listing(self, wanted: Wanted) -> "Listing":
        """Return what the hub says of a repository at a revision.

        Raises:
            HubFailed: no such repository, or no sensible answer.

        """
        revision = quote(wanted.revision, safe="")
        url = f"{self.endpoint.rstrip('/')}/api/models/{wanted.id}/revision/{revision}?blobs=true"
        try:
            with download.get(url, self.token) as answer:
                facts = json.loads(answer.read(MOST_JSON))
            commit, files = facts["sha"], [_file(each) for each in facts["siblings"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise HubFailed(url=url, reason=_("the answer is no listing of files")) from exc
        if not COMMIT.fullmatch(commit):
            raise HubFailed(url=url, reason=_("the answer is no listing of files"))
        return Listing(commit, _licence(facts), files)

    def address(self, wanted: Wanted, revision: str, name: str) -> str:
        """Return where a file's content is."""
        return f"{self.endpoint.rstrip('/')}/{wanted.id}/resolve/{revision}/{quote(name)}"


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it; `sha256` of large ones, git's name of the others."""

    name: str
    size: int
    sha256: str
    blob: str

    @property
    def check(self) -> download.Check:
        """The check of its content."""
        if self.sha256:
            return download.is_sha256(self.sha256)
        return download.is_git_blob(self.blob, self.size)


@dataclass(frozen=True)
class Listing:
    """A repository at one commit."""

    commit: str
    licence: str
    files: list[HubFile]


def pull(wanted: Wanted, hub: Hub, models_path: Path, progress: Progress) -> Path:
    """Fetch a model and return its folder in the store.

    Raises:
        ModelExists: the store has a model of that name.
        ModelNotFound: the name cannot be one of the hub.
        HubFailed, DownloadBroken, HubFilesUnclear, SpaceMissing: as the names say.

    """
    if not ID.fullmatch(wanted.id) or ".." in wanted.id:
        raise ModelNotFound(model=wanted.id)
    name = check_name(wanted.name or wanted.id.rpartition("/")[2])
    target = models_path / name
    if target.exists():
        raise ModelExists(path=target)
    listing = hub.listing(wanted)
    files = choose(wanted, listing.files)
    _announce(wanted, listing, files, progress)
    models_path.mkdir(parents=True, exist_ok=True)
    with (models_path / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two of the same go one after the other
        if target.exists():
            raise ModelExists(path=target)
        part = models_path / f".{name}.pull"
        addresses = {hub.address(wanted, listing.commit, file.name): file for file in files}
        _fetch_all(part, addresses, hub.token, progress)
        source = {"id": wanted.id, "revision": listing.commit, "licence": listing.licence}
        write_record(part, {"source": {**source, "at": now()}})
        settle(part, target)
        Path(lock.name).unlink()
    return target


def choose(wanted: Wanted, files: Sequence[HubFile]) -> list[HubFile]:
    """Return the files of a repository that make the model.

    Raises:
        HubFilesUnclear: it has no safetensors and not exactly one GGUF, and nothing was chosen.

    """
    top = [file for file in files if _matches(file, ("*",)) and not _matches(file, NEVER)]
    if wanted.include:
        weights = [file for file in top if _matches(file, wanted.include)]
    else:
        weights = [file for file in top if _matches(file, WEIGHTS)]
        ggufs = [file for file in top if _matches(file, ("*.gguf",))]
        weights = weights or (ggufs if len(ggufs) == 1 else [])
    if not weights:
        names = ", ".join(file.name for file in top)
        raise HubFilesUnclear(model=wanted.id, files=names[:2000])
    return weights + [file for file in top if file not in weights and _matches(file, OTHERS)]


def _matches(file: HubFile, patterns: Sequence[str]) -> bool:
    plain = PLAIN.fullmatch(file.name) is not None  # no folder, nothing hidden
    return plain and any(fnmatch(file.name, pattern) for pattern in patterns)


def _announce(
    wanted: Wanted, listing: Listing, files: Sequence[HubFile], progress: Progress
) -> None:
    size = -(-sum(file.size for file in files) // MEGABYTE)
    words = _("{id}: {size} MB in {count} files. Licence: {licence}")
    licence = listing.licence or _("not named; look at its page")
    progress.say(words.format(id=wanted.id, size=size, count=len(files), licence=licence))


def _fetch_all(part: Path, files: Mapping[str, HubFile], token: str, progress: Progress) -> None:
    """Fetch files, by their addresses, into a folder that may have some of them already."""
    part.mkdir(exist_ok=True)
    names = {file.name for file in files.values()}
    for path in part.iterdir():  # of another revision
        if path.name.removesuffix(".part") not in names:
            path.unlink()
    size = sum(file.size for file in files.values())
    check_space(part, size - sum(path.stat().st_size for path in part.iterdir()))
    step, arrived = progress.step(_("KB fetched"), size // KILOBYTE), 0

    def count(more: int) -> None:
        nonlocal arrived
        arrived += more
        step.advance(arrived // KILOBYTE - step.done)

    for address, file in files.items():
        if (part / file.name).is_file():  # checked when it arrived
            count(file.size)
        else:
            download.fetch(
                download.Source(address, file.size, file.check, token), part / file.name, count
            )


def _file(facts: Mapping[str, Any]) -> HubFile:
    large = facts.get("lfs") or {}
    size, name = large.get("size", facts.get("size")), facts["rfilename"]
    if not isinstance(name, str) or not isinstance(size, int) or size < 0:
        raise TypeError(name)
    return HubFile(name, size, str(large.get("sha256", "")), str(facts.get("blobId", "")))


def _licence(facts: Mapping[str, Any]) -> str:
    card = facts.get("cardData") or {}
    tags = [tag[8:] for tag in facts.get("tags") or [] if str(tag).startswith("license:")]
    named = card.get("license") or ", ".join(tags)
    return ", ".join(named) if isinstance(named, list) else str(named)
