"""The pages of the Store's documentation, by the short codes in a trace: KUG, PF and so on."""

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
"""Code -> page. The third value is the file name of the page; search the web for it."""


def pages(source: str) -> tuple[DocumentationPage, ...]:
    """Look up the codes of a `source`, such as `KUG, VIS`. Raises: KeyError for an unknown code."""
    return tuple(PAGES[code] for code in source.split(", "))
