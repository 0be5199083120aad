"""The pages that the rules come from: what the codes of a trace stand for."""

from collections.abc import Mapping

from eligibility.access.explanation import DocumentationPage

PAGES: Mapping[str, DocumentationPage] = {
    page.code: page
    for page in (
        DocumentationPage("KUG", "Create known user groups", "create-known-user-groups"),
        DocumentationPage("PF", "Package flights", "package-flights"),
        DocumentationPage("PD", "Packages and distribution", "package-and-distribution"),
        DocumentationPage("VIS", "Choose visibility options", "visibility-options"),
        DocumentationPage("GPR", "Gradual package rollout", "gradual-package-rollout"),
        DocumentationPage("MAS", "Manage app submissions", "manage-app-submissions"),
        DocumentationPage("MGT", "Guidance for app package management", "app-package-management"),
        DocumentationPage("PROMO", "Generate promotional codes", "generate-promotional-codes"),
        DocumentationPage("MKT", "Define market selection", "market-selection"),
        DocumentationPage("UPL", "Upload app packages", "upload-app-packages"),
        DocumentationPage("REQ", "App package requirements", "app-package-requirements"),
        DocumentationPage("DFO", "Device families overview", "device-families-overview"),
        DocumentationPage("ARCH", "App package architectures", "device-architecture"),
    )
}
"""By code. The names are those of the pages' files, which are what a search finds."""


def pages(source: str) -> tuple[DocumentationPage, ...]:
    """The pages of a step's `source`, as in `KUG, VIS`. Raises: KeyError for a code without one."""
    return tuple(PAGES[code] for code in source.split(", "))
