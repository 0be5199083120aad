"""Computes the digest of a catalogue write in the audit trail (groups/chain.py). Pure functions."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from eligibility.catalog.model import Product
from eligibility.catalog.store import ProductVersion
from groups.chain import ChainDigester
from groups.model import storable
from groups.moments import to_us

_canonical = msgspec.json.Encoder(order="sorted").encode


def link(digester: ChainDigester, before: str, versions: Iterable[ProductVersion]) -> str:
    """Compute the digest of one revision's versions, in any order, after the digest `before`."""
    ordered = sorted(versions, key=lambda version: version.product_id)
    first = ordered[0]
    return digester.of(
        "catalog",
        before,
        first.publisher,
        first.revision,
        [
            (to_us(version.at), storable(version.actor), version.product_id, _body(version.product))
            for version in ordered
        ],
    )


def _body(product: Product | None) -> bytes | None:
    """Compute a digest of a product: the same for any order of fields, with or without defaults."""
    if product is None:
        return None
    body = product.model_dump(mode="json", exclude_defaults=True)
    return blake2b(_canonical(body), digest_size=16).digest()
