"""The script that timers and cron call makes backups and keeps the newest."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "deploy" / "schedule" / "backup"


def run(folder: Path, kind: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as systemd does, with a Tiza whose data lie in the folder."""
    given = {
        "TIZA": f"{sys.executable} -m tiza",
        "BACKUP_PATH": str(folder / "backups"),
        "VAR_PATH": str(folder / "var"),
        "MODELS_PATH": str(folder / "models"),
        "KEEP": "2",
    }
    return subprocess.run(
        [SCRIPT, kind],
        env=os.environ | given | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> list[str]:
    """Return the backups, oldest first."""
    return sorted(file.name for file in (folder / "backups").iterdir())


def test_newest_backups_stay_when_one_more_is_made(tmp_path: Path) -> None:
    """Of each kind as many as KEEP; one that fails removes none, and says why."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("store-1", "store-2", "store-3", "models-1", "other"):
        (folder / name).touch()

    failed = run(tmp_path, "store")  # there is no database yet
    assert failed.returncode != 0
    assert "no tables" in failed.stderr
    assert len(names(tmp_path)) == 5

    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "config.json").write_text("{}")
    made = run(tmp_path, "models", KEEP="1")
    assert made.returncode == 0, made.stderr
    *_, newest = [name for name in names(tmp_path) if name.startswith("models")]
    assert newest.endswith(".tar")
    assert [name for name in names(tmp_path) if name.startswith("models")] == [newest]
    assert {"store-1", "store-2", "store-3", "other"} <= set(names(tmp_path))
