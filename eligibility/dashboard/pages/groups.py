"""The pages of groups: the list, a new group, one group with its members, edits with a preview."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from eligibility.callers.model import Scope
from eligibility.catalog.export import all_groups, all_products
from eligibility.changes.effects import effect_text
from eligibility.dashboard.signin.viewer import Viewer
from eligibility.dashboard.site import PREFIX, RenderedPage, Site, faults_of, is_part
from eligibility.errors import EligibilityError
from eligibility.formats.whole_number import whole_number
from eligibility.server.http.sealed_cursors import AddressCursors
from groups import csv_file, emails
from groups.errors import GroupsError, InvalidEmails
from groups.model import MAX_MEMBERS, Consent, EditResult, Group, MembershipEdit

_LISTED, _MEMBERS, _HISTORY = 100, 100, 20


@dataclass(frozen=True, slots=True)
class GroupUse:
    """A use of a group by a product's flight, or by its private audience if `flight` is None."""

    product_id: str
    product: str
    flight: str | None


class GroupPages:
    """The pages and forms below /groups."""

    def __init__(self, site: Site) -> None:
        self._site, self._service = site, site.service
        self._store = site.service.groups
        self._cursors = AddressCursors(self._store.digest_key)
        base, group = "/{publisher}/groups", "/{publisher}/groups/{group_id}"
        site.page(base, self.listed)
        site.page(f"{base}/new", self.new)
        site.change(f"{base}/new", self.create)
        site.page(group, self.shown)
        site.page(f"{group}/members.csv", self.exported)
        site.page(f"{group}/history", self.history)
        site.change(f"{group}/members", self.members)
        site.change(f"{group}/preview", self.preview)
        site.change(f"{group}/save", self.save)
        site.change(f"{group}/consent", self.consent)

    def listed(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show groups page by page, with their uses. `q` filters them by name or id."""
        publisher = viewer.publisher_of(request, Scope.READ_GROUPS)
        text = request.query_params.get("q", "").strip()
        groups = list(all_groups(self._store, publisher))
        folded = text.casefold()
        shown = [g for g in groups if folded in g.name.casefold() or folded in g.group_id]
        number = request.query_params.get("page", "1")[:6]
        page = max(1, whole_number(number) or 1)
        begin = (page - 1) * _LISTED
        values = {
            "title": "Groups",
            "groups": shown[begin : begin + _LISTED],
            "uses": self._uses(publisher),
            "all": len(groups),
            "matching": len(shown),
            "members": sum(group.member_count for group in groups),
            "q": text,
            "page": page,
            "pages": max(1, -(-len(shown) // _LISTED)),
        }
        return RenderedPage("groups.html", values)

    def _uses(self, publisher: str) -> Mapping[str, list[GroupUse]]:
        uses = defaultdict[str, list[GroupUse]](list)
        for entry in all_products(self._service.catalog.store, publisher):
            product = entry.product
            for source in product.sources():
                flight = source.flight.name if source.flight else None
                for group_id in source.groups:
                    uses[group_id].append(GroupUse(entry.product_id, product.name, flight))
        return uses

    def new(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show the form for a new group."""
        viewer.publisher_of(request, Scope.READ_GROUPS, Scope.WRITE_GROUPS)
        return RenderedPage("group_new.html", {"title": "New group", "form": {}, "faults": ()})

    def create(
        self, request: Request, viewer: Viewer, form: Mapping[str, Any]
    ) -> RenderedPage | Response:
        """Create a group; if something is wrong, show the form again with the faults."""
        publisher = viewer.publisher_of(request, Scope.READ_GROUPS, Scope.WRITE_GROUPS)
        try:
            group = self._store.create(
                publisher,
                str(form.get("name", "")),
                self._addresses(form),
                group_id=str(form.get("group_id", "")).strip() or None,
                actor=viewer.actor,
            )
        except GroupsError as error:
            values = {"title": "New group", "form": form, "faults": faults_of(error)}
            return RenderedPage("group_new.html", values, 400)
        return RedirectResponse(f"{PREFIX}/{publisher}/groups/{group.group_id}?made=1", 303)

    def shown(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show a group: its members, what uses it, and the forms to change it."""
        return self._whole(self._group(request, viewer, Scope.READ_GROUPS), request)

    def _whole(self, group: Group, request: Request, **more: Any) -> RenderedPage:
        values = {
            "title": group.name,
            "group": group,
            "uses": self._uses(group.publisher)[group.group_id],
            "largest": MAX_MEMBERS,
            "made": "made" in request.query_params,
            "saved": request.query_params.get("saved", ""),
            "form": None,
            "more": False,
            **self._members(group, None, ""),
            **self._history(group, None),
        }
        return RenderedPage("group.html", {**values, **more})

    def members(self, request: Request, viewer: Viewer, form: Mapping[str, Any]) -> RenderedPage:
        """Show members whose address begins with a text. A form keeps that text out of URLs."""
        group = self._group(request, viewer, Scope.READ_GROUPS)
        cursor = self._cursors.read(str(form.get("cursor", "")) or None)
        values = self._members(group, cursor, str(form.get("begins", ""))[:254])
        if not is_part(request):
            return self._whole(group, request, **values)
        return RenderedPage(
            "group_members.html", {"group": group, "more": cursor is not None, **values}
        )

    def _members(self, group: Group, cursor: str | None, begins: str) -> dict[str, Any]:
        page = self._store.members(
            group.publisher, group.group_id, cursor=cursor, prefix=begins, limit=_MEMBERS
        )
        next_cursor = self._cursors.cursor_of(page.next_cursor)
        return {"members": page.items, "next_cursor": next_cursor, "begins": begins}

    def history(self, request: Request, viewer: Viewer) -> RenderedPage:
        """Show more of the group's history."""
        group = self._group(request, viewer, Scope.READ_GROUPS)
        cursor = request.query_params.get("cursor")
        return RenderedPage("group_history.html", {"group": group, **self._history(group, cursor)})

    def _history(self, group: Group, cursor: str | None) -> dict[str, Any]:
        page = self._store.history(
            group.publisher, group_id=group.group_id, cursor=cursor, limit=_HISTORY
        )
        return {"changes": page.items, "older": page.next_cursor}

    def exported(self, request: Request, viewer: Viewer) -> Response:
        """Send the members as a CSV file."""
        group = self._group(request, viewer, Scope.READ_GROUPS)
        members = self._store.members(group.publisher, group.group_id, limit=MAX_MEMBERS)
        headers = {"content-disposition": f'attachment; filename="{group.group_id}.csv"'}
        return Response(csv_file.write(members.items), 200, headers, "text/csv; charset=utf-8")

    def preview(self, request: Request, viewer: Viewer, form: Mapping[str, Any]) -> RenderedPage:
        """Show what an edit would do to the group and to access; save nothing."""
        group = self._group(request, viewer, Scope.WRITE_GROUPS)
        values: dict[str, Any] = {"form": self._form_values(form), "faults": (), "result": None}
        try:
            result = self._edit(group, viewer, form, dry_run=True)
            effects = self._service.effects(result)
            values |= {"result": result, "effects": effects, "effect_text": effect_text}
        except (EligibilityError, GroupsError) as error:
            values["faults"] = faults_of(error)
        if not is_part(request):
            return self._whole(group, request, **values)
        return RenderedPage("group_preview.html", {"group": group, **values})

    def save(
        self, request: Request, viewer: Viewer, form: Mapping[str, Any]
    ) -> RenderedPage | Response:
        """Save the previewed edit, unless the group has changed since the preview."""
        group = self._group(request, viewer, Scope.WRITE_GROUPS)
        done = self._edit(group, viewer, form, dry_run=False)
        counts = f"{done.added}-{done.removed}"
        to = f"{PREFIX}/{group.publisher}/groups/{group.group_id}?saved={counts}"
        if is_part(request):
            return Response(status_code=204, headers={"hx-redirect": to})
        return RedirectResponse(to, 303)

    def _edit(
        self, group: Group, viewer: Viewer, form: Mapping[str, Any], *, dry_run: bool
    ) -> EditResult:
        how, addresses = str(form.get("how", "add")), self._addresses(form)
        seen = whole_number(str(form.get("revision", "")))
        more: dict[str, Any] = {
            "actor": viewer.actor,
            "dry_run": dry_run,
            "if_revision": group.revision if seen is None else seen,
        }
        where = group.publisher, group.group_id
        if how == "replace":
            return self._store.replace(*where, addresses, **more)
        edit = MembershipEdit(**{"remove" if how == "remove" else "add": addresses})
        return self._store.edit(*where, edit, **more)

    def consent(self, request: Request, viewer: Viewer, form: Mapping[str, Any]) -> Response:
        """Record that the people in a group agreed to be in it."""
        group = self._group(request, viewer, Scope.WRITE_GROUPS)
        at: datetime = self._service.now()
        note = Consent(confirmed_by=str(form.get("by", "")), at=at, text=str(form.get("text", "")))
        self._store.set_consent(group.publisher, group.group_id, note, actor=viewer.actor)
        return RedirectResponse(f"{PREFIX}/{group.publisher}/groups/{group.group_id}", 303)

    def _addresses(self, form: Mapping[str, Any]) -> tuple[str, ...]:
        """Read the addresses of a form: from its file, or else its text. Raises: InvalidEmails."""
        file = form.get("file")
        if isinstance(file, bytes) and file.strip():
            return csv_file.read(file, self._service.header_ranks)
        return emails.parse(str(form.get("emails", "")), strict=form.get("how") != "remove")

    def _form_values(self, form: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields that `save` needs. A file is replaced by its addresses."""
        try:
            text = "\n".join(self._addresses(form))
        except InvalidEmails:
            text = str(form.get("emails", ""))
        return {"how": str(form.get("how", "add")), "emails": text}

    def _group(self, request: Request, viewer: Viewer, scope: Scope) -> Group:
        publisher = viewer.publisher_of(request, Scope.READ_GROUPS, scope)
        return self._store.get(publisher, request.path_params["group_id"])
