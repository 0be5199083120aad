"""The Redis keys of the catalogue. groups/storage/redis_keys.py lists those of the groups.

    eligibility:catalog-publishers          set     every publisher that ever began to write
    eligibility:owner:9NCONTOSORDR          string  the publisher that owns the product id for ever
    eligibility:{p}:products                hash    product id -> product
    eligibility:{p}:product-ids             zset    ids of present products, all with score 0, so sorted
    eligibility:{p}:versions                hash    revision -> the write: new versions of products
    eligibility:{p}:versions:9NCONTOSORDR   list    revisions of a product's versions

The publisher's head (see redis_keys.py) has the last write to the catalogue in the field `catalog`.
"""

from groups.storage.redis_keys import Keys


class CatalogKeys:
    """The Redis keys of a deployment's catalogues."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.publishers = f"{keys.prefix}:catalog-publishers"

    def head(self, publisher: str) -> str:
        return self._keys.head(publisher)

    def owner(self, product_id: str) -> str:
        return f"{self._keys.prefix}:owner:{product_id}"

    def products(self, publisher: str) -> str:
        return self._keys.of(publisher, "products")

    def product_ids(self, publisher: str) -> str:
        return self._keys.of(publisher, "product-ids")

    def versions(self, publisher: str) -> str:
        return self._keys.of(publisher, "versions")

    def versions_of(self, publisher: str, product_id: str) -> str:
        return self._keys.of(publisher, "versions", product_id)
