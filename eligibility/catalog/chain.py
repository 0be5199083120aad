"""The digest that a catalogue write carries in the audit trail. Pure; see groups/chain.py."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from eligibility.catalog.model import Product
from eligibility.catalog.store import ProductVersion
from groups.chain import ChainDigester
from groups.model import storable
from groups.moments import to_us

_canonical = msgspec.json.Encoder(order="sorted").encode


def link(links: ChainDigester, before: str, versions: Iterable[ProductVersion]) -> str:
    """Give the digest of what one revision writes, in any order.

    Args: before = the digest of the write before.
    """
    ordered = sorted(versions, key=lambda version: version.product_id)
    first = ordered[0]
    return links.of(
        "catalog",
        before,
        first.publisher,
        first.revision,
        [
            (to_us(one.at), storable(one.actor), one.product_id, _body(one.product))
            for one in ordered
        ],
    )


def _body(product: Product | None) -> bytes | None:
    """What a product says, whatever the order and the defaults it was written with."""
    if product is None:
        return None
    said = product.model_dump(mode="json", exclude_defaults=True)
    return blake2b(_canonical(said), digest_size=16).digest()
