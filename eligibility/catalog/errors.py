"""Errors that refuse a write to the catalogue."""

from eligibility.errors import EligibilityError, Fault, InvalidInput


class InvalidProduct(InvalidInput):
    """A product or a whole catalogue breaks rules, so it is not stored. faults: every fault."""

    code = "INVALID_PRODUCT"

    def __init__(self, faults: list[Fault], subject: str = "the product") -> None:
        super().__init__(faults, subject)


class ProductTaken(EligibilityError):
    """Another publisher has a product with this id. Ids are unique across all publishers."""

    code = "PRODUCT_TAKEN"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"product `{product_id}` belongs to another publisher")


class CatalogRevisionMismatch(EligibilityError):
    """The catalogue has changed since the revision that the writer had read."""

    code = "REVISION_MISMATCH"

    def __init__(self, publisher: str, expected: int, actual: int) -> None:
        super().__init__(
            f"the catalogue of `{publisher}` is at revision {actual}, not at {expected}: read it again"
        )
        self.expected, self.actual = expected, actual


class ProductRevisionMismatch(EligibilityError):
    """The product is not at the revision that the writer had read. actual: 0 if it is missing."""

    code = "REVISION_MISMATCH"

    def __init__(self, product_id: str, expected: int | str, actual: int) -> None:
        super().__init__(
            f"product `{product_id}` is at revision {actual}, not at {expected}: read it again"
            if actual
            else f"product `{product_id}` does not exist, but the write expects it"
        )
        self.expected, self.actual = expected, actual
