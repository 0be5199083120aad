"""Tester readiness: for each member of a flight or an audience, whether it can get it, and what to do."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from eligibility.callers.model import Scope
from eligibility.dashboard.filters import exact_seconds
from eligibility.dashboard.readiness import ReadinessTarget, Tester, aims, problems, readiness
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import RenderedPage, Site
from eligibility.errors import UnknownProduct
from eligibility.formats.whole_number import whole_number
from eligibility.simulation.state import State
from groups import csv_file
from groups.model import MAX_MEMBERS

_SHOWN = 100
_STANDINGS = ("blocked", "unseen", "outranked", "ready")
"""In the order of what there is to do."""


class TesterPages:
    """The pages below /products/{product_id}/readiness."""

    def __init__(self, site: Site) -> None:
        self._service = site.service
        base = "/{publisher}/products/{product_id}/readiness"
        site.page(base, self.shown)
        site.page(f"{base}/list", self.part)
        site.page(f"{base}.csv", self.exported)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Who can get it and who cannot, by problem and by member."""
        state, aim, all_aims, testers = self._testers(request, viewer)
        values = {
            "title": f"Readiness: {state.product.name}",
            "aims": all_aims,
            "counts": Counter(one.standing for one in testers),
            "problems": problems(testers),
            **self._page(request, state, aim, testers),
        }
        return RenderedPage("readiness.html", values)

    def part(self, request: Request, viewer: Viewer) -> RenderedPage:
        """More of the list."""
        state, aim, _, testers = self._testers(request, viewer)
        return RenderedPage("readiness_list.html", self._page(request, state, aim, testers))

    def exported(self, request: Request, viewer: Viewer) -> Response:
        """Everything as a CSV file."""
        state, _, _, testers = self._testers(request, viewer)
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(
            ("account", "standing", "last_asked", "family", "os_version", "problem", "remedy")
        )
        for one in testers:
            last = one.last
            device = (
                (exact_seconds(last.at), last.family, last.os_version) if last else ("", "", "")
            )
            rows.writerow(
                (
                    csv_file.harmless_cell(one.address),
                    one.standing,
                    *device,
                    one.problem,
                    one.remedy,
                )
            )
        headers = {
            "content-disposition": f'attachment; filename="{state.product_id}-readiness.csv"'
        }
        return Response(text.getvalue(), 200, headers, "text/csv; charset=utf-8")

    def _page(
        self, request: Request, state: State, aim: ReadinessTarget | None, testers: Sequence[Tester]
    ) -> dict[str, Any]:
        wanted = request.query_params.get("standing", "")
        chosen = [one for one in testers if wanted in ("", one.standing)]
        ordered = sorted(chosen, key=lambda one: (_STANDINGS.index(one.standing), one.address))
        begin = whole_number(request.query_params.get("from", "0")) or 0
        return {
            "state": state,
            "aim": aim,
            "standing": wanted,
            "testers": ordered[begin : begin + _SHOWN],
            "more": begin + _SHOWN if begin + _SHOWN < len(ordered) else 0,
        }

    def _testers(
        self, request: Request, viewer: Viewer
    ) -> tuple[State, ReadinessTarget | None, tuple[ReadinessTarget, ...], tuple[Tester, ...]]:
        publisher: str = request.path_params["publisher"]
        viewer.check(Scope.READ_CATALOG, publisher)
        viewer.check(Scope.READ_GROUPS, publisher)
        service, product_id = self._service, request.path_params["product_id"]
        if service.catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        state = service.states.read(product_id)
        found = aims(state)
        if not found:
            return state, None, (), ()
        key = request.query_params.get("for", found[0].key)
        aim = next((one for one in found if one.key == key), found[0])
        members = {
            address: None
            for group in aim.groups
            for address in service.groups.members(publisher, group, limit=MAX_MEMBERS).items
        }
        service.recorder.flush()
        last = service.activity.last_answers(publisher, product_id)
        return state, aim, found, readiness(state, aim, members, last)
