"""Every key that the catalogue has in Redis, beside those of groups/storage/redis_keys.py.

    eligibility:catalog-publishers          set     every publisher that ever began to write
    eligibility:owner:9NCONTOSORDR          string  the publisher that has the product id, for ever
    eligibility:{p}:products                hash    product id -> product
    eligibility:{p}:product-ids             zset    ids of present products, all of score 0, in order
    eligibility:{p}:versions                hash    revision -> what was written
    eligibility:{p}:versions:9NCONTOSORDR   list    revisions of a product's versions

The last write to a publisher's catalogue is the field `catalog` of its head.
"""

from groups.storage.redis_keys import Keys


class CatalogKeys:
    """The catalogue's keys of one deployment."""

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
