"""The pages that the rules come from: what the codes of a trace stand for."""

from collections.abc import Mapping

from eligibility.access.explanation import Page

PAGES: Mapping[str, Page] = {
    page.code: page
    for page in (
        Page("KUG", "Create known user groups", "create-known-user-groups"),
        Page("PF", "Package flights", "package-flights"),
        Page("PD", "Packages and distribution", "package-and-distribution"),
        Page("VIS", "Choose visibility options", "visibility-options"),
        Page("GPR", "Gradual package rollout", "gradual-package-rollout"),
        Page("MAS", "Manage app submissions", "manage-app-submissions"),
        Page("MGT", "Guidance for app package management", "app-package-management"),
        Page("PROMO", "Generate promotional codes", "generate-promotional-codes"),
        Page("MKT", "Define market selection", "market-selection"),
        Page("UPL", "Upload app packages", "upload-app-packages"),
        Page("REQ", "App package requirements", "app-package-requirements"),
        Page("DFO", "Device families overview", "device-families-overview"),
        Page("ARCH", "App package architectures", "device-architecture"),
    )
}
"""By code. The names are those of the pages' files, which are what a search finds."""


def pages(source: str) -> tuple[Page, ...]:
    """The pages of a step's `source`, as in `KUG, VIS`. Raises: KeyError for a code without one."""
    return tuple(PAGES[code] for code in source.split(", "))
