"""Errors of the catalogue."""

from eligibility.errors import EligibilityError, Fault, InvalidInput


class InvalidProduct(InvalidInput):
    """A product, or a whole catalogue, must not be stored; it names every fault."""

    code = "INVALID_PRODUCT"

    def __init__(self, faults: list[Fault], subject: str = "the product") -> None:
        super().__init__(faults, subject)


class ProductTaken(EligibilityError):
    """The product id belongs to another publisher; product ids are unique across publishers."""

    code = "PRODUCT_TAKEN"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"product `{product_id}` belongs to another publisher")


class CatalogRevisionMismatch(EligibilityError):
    """The publisher's catalogue has changed since the revision on which the write is based."""

    code = "REVISION_MISMATCH"

    def __init__(self, publisher: str, expected: int, actual: int) -> None:
        super().__init__(
            f"the catalogue of `{publisher}` is at revision {actual}, not at {expected}: read it again"
        )
        self.expected, self.actual = expected, actual


class ProductRevisionMismatch(EligibilityError):
    """The product is not at the revision on which the write is based, or does not exist (0)."""

    code = "REVISION_MISMATCH"

    def __init__(self, product_id: str, expected: int | str, actual: int) -> None:
        super().__init__(
            f"product `{product_id}` is at revision {actual}, not at {expected}: read it again"
            if actual
            else f"product `{product_id}` does not exist, but the write expects it"
        )
        self.expected, self.actual = expected, actual
