"""Where the repository's own files stand."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
