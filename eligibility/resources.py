"""Find the files of `config/`, in an installed wheel or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def config_dir() -> Path:
    """The directory of requirements.toml, releases.toml, settings.toml and sample/."""
    packaged = _PACKAGE / "_config"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "config"
