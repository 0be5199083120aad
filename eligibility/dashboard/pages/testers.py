"""The readiness pages: which testers can get a flight or product, and what helps the others."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from eligibility.callers.model import Scope
from eligibility.dashboard.filters import exact_seconds
from eligibility.dashboard.readiness import ReadinessTarget, Tester, problems, readiness, targets
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site
from eligibility.errors import UnknownProduct
from eligibility.formats.whole_number import whole_number
from eligibility.simulation.state import State
from groups.csv_text import harmless_cell
from groups.model import MAX_MEMBERS

_SHOWN = 100
_STANDINGS = ("blocked", "unseen", "outranked", "ready")
"""The order on the page: first the testers whom the publisher can help."""


class TesterPages:
    """The pages below /products/{product_id}/readiness."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        base = "/{publisher}/products/{product_id}/readiness"
        site.page(base, self.shown)
        site.page(f"{base}/list", self.part)
        site.page(f"{base}.csv", self.exported)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show who can get the flight or product and who cannot, by problem and by member."""
        state, target, all_targets, testers = self._testers(request, viewer)
        values = {
            "title": f"Readiness: {state.product.name}",
            "targets": all_targets,
            "counts": Counter(tester.standing for tester in testers),
            "problems": problems(testers),
            **self._page(request, state, target, testers),
        }
        return RenderedPage("readiness.html", values)

    def part(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show more of the list."""
        state, target, _, testers = self._testers(request, viewer)
        return RenderedPage("readiness_list.html", self._page(request, state, target, testers))

    def exported(self, request: Request, viewer: Viewer) -> Response:
        """Send every tester as a CSV file."""
        state, _, _, testers = self._testers(request, viewer)
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(
            ("account", "standing", "last_asked", "family", "os_version", "problem", "remedy")
        )
        for tester in testers:
            last = tester.last
            device = (
                (exact_seconds(last.at), last.family, last.os_version) if last else ("", "", "")
            )
            address = harmless_cell(tester.address)
            rows.writerow((address, tester.standing, *device, tester.problem, tester.remedy))
        headers = {
            "content-disposition": f'attachment; filename="{state.product_id}-readiness.csv"'
        }
        return Response(text.getvalue(), 200, headers, "text/csv; charset=utf-8")

    def _page(
        self,
        request: Request,
        state: State,
        target: ReadinessTarget | None,
        testers: Sequence[Tester],
    ) -> dict[str, Any]:
        standing = request.query_params.get("standing", "")
        chosen = [tester for tester in testers if standing in ("", tester.standing)]
        ordered = sorted(
            chosen, key=lambda tester: (_STANDINGS.index(tester.standing), tester.address)
        )
        begin = whole_number(request.query_params.get("from", "0")) or 0
        return {
            "state": state,
            "target": target,
            "standing": standing,
            "testers": ordered[begin : begin + _SHOWN],
            "more": begin + _SHOWN if begin + _SHOWN < len(ordered) else 0,
        }

    def _testers(
        self, request: Request, viewer: Viewer
    ) -> tuple[State, ReadinessTarget | None, tuple[ReadinessTarget, ...], tuple[Tester, ...]]:
        publisher = viewer.publisher_of(request, Scope.READ_CATALOG, Scope.READ_GROUPS)
        service, product_id = self._service, request.path_params["product_id"]
        if service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        state = service.states.read(product_id)
        every = targets(state)
        if not every:
            return state, None, (), ()
        key = request.query_params.get("for", every[0].key)
        target = next((target for target in every if target.key == key), every[0])
        members = {
            address: None
            for group in target.groups
            for address in service.groups.members(publisher, group, limit=MAX_MEMBERS).items
        }
        service.recorder.flush()
        last = service.activity.last_answers(publisher, product_id)
        return state, target, every, readiness(state, target, members, last)
