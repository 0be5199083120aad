"""The application with all commands under the name that `typer utils docs` looks for."""

from eligibility.cli.app import application

app = application()
