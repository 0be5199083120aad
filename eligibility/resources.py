"""Find the directory `config/` in an installed wheel or in a checkout of the repository."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def config_dir() -> Path:
    """Return the directory of requirements.toml, releases.toml, settings.toml and sample/."""
    packaged = _PACKAGE / "_config"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "config"
