"""An API key for the servers that are measured."""

from eligibility.service.service import Service
from eligibility.service.settings import Settings


def make_key(store: str) -> str:
    """A new key in a store that may do everything, as a store backend's that also edits."""
    with Service(Settings(store=store)) as service:
        return service.key_admin.create(
            "bench", name="bench", scopes=["admin"], publishers=None
        ).text
