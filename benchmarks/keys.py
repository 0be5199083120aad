"""API key for the measured servers."""

from eligibility.service.service import Service
from eligibility.service.settings import Settings


def make_key(store: str) -> str:
    """Create an API key with the scope admin in a store."""
    with Service(Settings(store=store)) as service:
        return service.key_admin.create(
            "bench", name="bench", scopes=["admin"], publishers=None
        ).text
