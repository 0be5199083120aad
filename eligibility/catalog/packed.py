"""What a Redis server keeps of the catalogue, as bytes: MessagePack around the JSON of products."""

from collections.abc import Iterable, Iterator

import msgspec

from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry, ProductVersion
from groups.model import storable
from groups.moments import from_us, to_us
from groups.storage.redis_chain import HeadField


class _Body(msgspec.Struct, array_like=True):
    """A product as it was written; body is JSON, None where it was deleted."""

    product_id: str
    body: str | None


class PackedWrite(msgspec.Struct, array_like=True):
    """What one revision wrote."""

    at_us: int
    write_id: str
    actor: str
    bodies: list[_Body]
    chain: bytes = b""  # what an earlier release wrote ends before it

    def versions(self, publisher: str, revision: int) -> Iterator[ProductVersion]:
        """Give the versions, by product id."""
        for one in sorted(self.bodies, key=lambda body: body.product_id):
            yield ProductVersion(
                publisher=publisher,
                product_id=one.product_id,
                revision=revision,
                at=from_us(self.at_us),
                actor=self.actor,
                product=None if one.body is None else Product.model_validate_json(one.body),
                chain=self.chain.hex(),
            )


class _Present(msgspec.Struct, array_like=True):
    """A product as it is."""

    revision: int
    at_us: int
    body: str


_encode = msgspec.msgpack.Encoder().encode
_decode_present = msgspec.msgpack.Decoder(_Present).decode

read_write = msgspec.msgpack.Decoder(PackedWrite).decode
"""Give what `write` packed."""


def write(head: HeadField, actor: str, versions: Iterable[ProductVersion]) -> bytes:
    """Pack what a revision writes."""
    bodies = [_Body(version.product_id, _body(version.product)) for version in versions]
    return _encode(PackedWrite(head.at_us, head.write_id, storable(actor), bodies, head.chain))


def present(version: ProductVersion) -> bytes:
    """Pack a version that is the product's present one."""
    return _encode(_Present(version.revision, to_us(version.at), _body(version.product) or ""))


def entry(publisher: str, product_id: str, saved: bytes) -> CatalogEntry:
    """Give what `present` packed."""
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
