"""The format of the catalogue in a Redis server: MessagePack that contains products as JSON."""

from collections.abc import Iterable, Iterator

import msgspec

from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry, ProductVersion
from groups.model import storable
from groups.moments import from_us, to_us
from groups.storage.redis_chain import HeadField


class _Body(msgspec.Struct, array_like=True):
    """A product in a write. body: JSON; None if the write deleted the product."""

    product_id: str
    body: str | None


class PackedWrite(msgspec.Struct, array_like=True):
    """The products that one revision wrote or deleted."""

    at_us: int
    write_id: str
    actor: str
    bodies: list[_Body]
    chain: bytes = b""  # an earlier release wrote no chain

    def versions(self, publisher: str, revision: int) -> Iterator[ProductVersion]:
        """Iterate over the versions of products in this write, sorted by product id."""
        for product in sorted(self.bodies, key=lambda body: body.product_id):
            yield ProductVersion(
                publisher=publisher,
                product_id=product.product_id,
                revision=revision,
                at=from_us(self.at_us),
                actor=self.actor,
                product=None if product.body is None else Product.model_validate_json(product.body),
                chain=self.chain.hex(),
            )


class _Present(msgspec.Struct, array_like=True):
    """The present version of a product. body: JSON."""

    revision: int
    at_us: int
    body: str


_encode = msgspec.msgpack.Encoder().encode
_decode_present = msgspec.msgpack.Decoder(_Present).decode

read_write = msgspec.msgpack.Decoder(PackedWrite).decode
"""Unpack a write that `write` packed."""


def write(head: HeadField, actor: str, versions: Iterable[ProductVersion]) -> bytes:
    """Pack the versions that one revision writes. Args: head = has the time, id and digest."""
    bodies = [_Body(version.product_id, _body(version.product)) for version in versions]
    return _encode(PackedWrite(head.at_us, head.write_id, storable(actor), bodies, head.chain))


def present(version: ProductVersion) -> bytes:
    """Pack a version in the format of a product's present version."""
    return _encode(_Present(version.revision, to_us(version.at), _body(version.product) or ""))


def entry(publisher: str, product_id: str, saved: bytes) -> CatalogEntry:
    """Unpack a product's present version that `present` packed."""
    read = _decode_present(saved)
    return CatalogEntry(
        publisher=publisher,
        product_id=product_id,
        product=Product.model_validate_json(read.body),
        revision=read.revision,
        updated_at=from_us(read.at_us),
    )


def _body(product: Product | None) -> str | None:
    return None if product is None else product.model_dump_json(exclude_defaults=True)
