"""Install what the tests need beyond Python, where that is possible; say what is missing elsewhere.

`python tools/system_packages.py [containers]`: the latter for `make test-deploy` too.

As root on Debian or Ubuntu the packages are installed (after saying so); anywhere else the tests
that need them are skipped by name, and this prints the command that would enable them. In CI
nothing may be missing.
"""

import os
import shutil
import subprocess
import sys

import postgresql

# program → the Debian packages that bring it
NEEDED = {
    "chromium": ("chromium", "fonts-liberation"),
    "initdb": ("postgresql",),
    "nginx": ("nginx-light",),
    "promtool": ("prometheus",),
    "redis-server": ("redis-server",),
}

FOR_CONTAINERS = {
    "dockerd": ("docker.io", "iptables"),
    "docker-compose": ("docker-compose",),
    "debootstrap": ("debootstrap",),
}


def found(program: str) -> bool:
    """Tell whether a program is installed; PostgreSQL's may be out of PATH."""
    if program == "initdb":
        return postgresql.programs() is not None
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is not None


def main() -> int:
    """Install or report; return the exit status."""
    needed = NEEDED | (FOR_CONTAINERS if "containers" in sys.argv[1:] else {})
    missing = [
        package
        for program, packages in needed.items()
        if not found(program)
        for package in packages
    ]
    if not missing:
        return 0
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (is_root and shutil.which("apt-get")):
        print(
            f"Not installed: {', '.join(missing)}. To enable their tests: sudo {' '.join(install)}"
        )
        return 1 if os.environ.get("CI") else 0
    print(f"Installing for the tests: {', '.join(missing)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    done = subprocess.run(install, check=False, env=environment, stdout=subprocess.DEVNULL)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
