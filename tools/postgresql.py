"""A PostgreSQL server of one's own, for tests and benchmarks.

    tools/postgresql.py [SETTING=VALUE…]

Makes a cluster in a temporary folder, starts it on a Unix socket, prints its address, and obeys
lines from stdin, `stop` and `start`, each answered by itself when it is done. At the end of stdin
everything is removed. PostgreSQL refuses to run as root: then it runs as `postgres`.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "jit=off")
USER = "postgres"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps them out of PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


class Cluster:
    """One server and its data."""

    def __init__(self, programs: Path, folder: Path, settings: list[str]) -> None:
        self._programs, self._folder = programs, folder
        self._data = folder / "data"
        self._user = USER if os.geteuid() == 0 else None
        given = ["listen_addresses=", f"unix_socket_directories={folder}", *FAST, *settings]
        self._options = " ".join(
            f"-c {each.partition('=')[0]}='{each.partition('=')[2]}'" for each in given
        )

    @property
    def url(self) -> str:
        """Its address; the name of a database goes before the question mark."""
        return f"postgresql://tiza@/postgres?host={self._folder}"

    def make(self) -> None:
        """Make the cluster."""
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        self._run(
            "initdb",
            "--username=tiza",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = str(self._folder / "log")
        self._run(
            "pg_ctl", "start", "--wait", "--silent", f"--log={log}", f"--options={self._options}"
        )

    def stop(self) -> None:
        """Stop it as a crash would: connections are cut in the middle."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def end(self) -> None:
        """Stop it if it runs, and remove everything."""
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [str(self._programs / program), f"--pgdata={self._data}", *args],
            check=True,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def _split(setting: str) -> tuple[str, str]:
    name, _, value = setting.partition("=")
    return name, value


def main(settings: list[str]) -> int:
    """Serve until stdin ends; return 1 if PostgreSQL is not installed."""
    found = programs()
    if found is None:
        print("PostgreSQL is not installed.", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="tiza-pg-"))
    cluster = Cluster(found, folder, settings)
    try:
        cluster.make()
        cluster.start()
        print(cluster.url, flush=True)
        for line in sys.stdin:
            {"stop": cluster.stop, "start": cluster.start}[line.strip()]()
            print(line.strip(), flush=True)
    finally:
        cluster.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
