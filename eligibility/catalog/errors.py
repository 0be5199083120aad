"""Errors of the catalogue."""

from eligibility.errors import EligibilityError, Fault, InvalidInput


class InvalidProduct(InvalidInput):
    """A product, or a catalogue of them, that must not be stored; names every fault."""

    code = "INVALID_PRODUCT"

    def __init__(self, faults: list[Fault], subject: str = "the product") -> None:
        super().__init__(faults, subject)


class ProductTaken(EligibilityError):
    """The product id belongs to another publisher; ids are unique across all of them."""

    code = "PRODUCT_TAKEN"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"product `{product_id}` belongs to another publisher")
        self.product_id = product_id


class CatalogRevisionMismatch(EligibilityError):
    """The publisher's catalogue moved on since the revision that the write was based on."""

    code = "REVISION_MISMATCH"

    def __init__(self, publisher: str, expected: int, actual: int) -> None:
        super().__init__(
            f"catalogue of `{publisher}` is at revision {actual}, the write was based on {expected}"
        )
        self.expected, self.actual = expected, actual


class ProductRevisionMismatch(EligibilityError):
    """The product is not at the revision that the write was based on, or is not there at all (0)."""

    code = "REVISION_MISMATCH"

    def __init__(self, product_id: str, expected: int | str, actual: int) -> None:
        super().__init__(
            f"product `{product_id}` is at revision {actual}, not at {expected}: read it again"
            if actual
            else f"there is no product `{product_id}`, and the write was based on one"
        )
        self.expected, self.actual = expected, actual
