"""Where the files of `config/` are: inside an installed wheel, or beside the checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def config_dir() -> Path:
    """Directory holding requirements.toml, releases.toml, settings.toml and sample/."""
    packaged = _PACKAGE / "_config"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "config"
