"""The `tiza` command: language, verbs, exit status.

0 done, 1 a named error, 2 wrong usage, 130 interrupted. A verb imports its stage when it is called,
so that `tiza --help` stays quick and works where torch or an engine is missing.
"""

import gettext
import io
import os
import sys

from tiza.errors import TizaError
from tiza.translation import DOMAIN, LOCALE_PATH, terminal_language

INTERRUPTED = 130


def main() -> None:
    """Entry point of the `tiza` command."""
    language = terminal_language()
    # gettext, which click asks too, and our child processes find the language here.
    os.environ["LANGUAGE"] = os.environ["TIZA_LANG"] = language
    gettext.bindtextdomain(DOMAIN, str(LOCALE_PATH))

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ gets a question mark
    try:
        from tiza.cli.verbs import tiza  # its help texts are translated as it is imported

        tiza(prog_name="tiza")
    except TizaError as exc:
        print(f"{gettext.gettext('Error')}: {exc.message(language)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
