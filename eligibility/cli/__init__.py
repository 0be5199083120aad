"""The command line: each command has its own file. `eligibility --help` lists the commands."""

import sys

from eligibility.cli.app import application
from eligibility.cli.show.exit_codes import explained


def main() -> None:
    """Run the command line. Our own errors become a readable message and an exit code."""
    # Print `?` for a character in an address or file name that the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with explained():
        application(next(iter(sys.argv[1:]), None))(prog_name="eligibility")
