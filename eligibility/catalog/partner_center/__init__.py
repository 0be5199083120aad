"""Partner Center import: what the Store submission API returns, turned into a product.

`shapes` reads the API's answers, `ranks` orders flights, `packages` takes packages and rollouts,
`convert` makes the product, and `report` gathers what is wrong and what could not be known.
Source: domain.md section 5.
"""

from eligibility.catalog.partner_center.convert import Import, read_files
from eligibility.catalog.partner_center.report import ImportNote

__all__ = ["Import", "ImportNote", "read_files"]
