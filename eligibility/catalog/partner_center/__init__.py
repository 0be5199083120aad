"""Import a product from the JSON that the Store submission API returns.

`shapes` and `reading` read the API's responses, `selection` chooses the submissions that count,
`ranks` orders flights, `packages` and `listing` convert parts of a submission, `convert` builds the
product from them, and `report` collects faults and notes. Source: domain.md section 5.
"""

from eligibility.catalog.partner_center.convert import Import, read_files
from eligibility.catalog.partner_center.report import ImportNote

__all__ = ["Import", "ImportNote", "read_files"]
