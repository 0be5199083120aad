"""The command line, one file a command: `eligibility --help`."""

import sys

from eligibility.cli.app import app
from eligibility.cli.show.exit_codes import explained


def main() -> None:
    """Run the command line; an error of ours becomes a readable block and an exit code."""
    # Addresses and file names may hold anything; a terminal that cannot show it gets a mark.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with explained():
        app(prog_name="eligibility")
