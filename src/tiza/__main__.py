"""`python -m tiza`, the same as the `tiza` command."""

from tiza.cli import main

main()
