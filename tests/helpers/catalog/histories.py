"""Random histories of groups and of a product, for what has to hold of any moment of any of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from eligibility.access.model import AccessQuery, Decision
from eligibility.catalog.validation import read_product
from eligibility.errors import UnknownProduct
from eligibility.service.service import Service
from eligibility.service.settings import Settings
from groups.errors import GroupsError
from groups.model import MembershipEdit
from tests.helpers.catalog.strategies import ACCOUNTS, GROUPS, NOW, PRODUCT_ID, products
from tests.helpers.clock import Clock

P = "contoso"
KEEPER = "keeper@example.com"
PEOPLE = ACCOUNTS[:4]

Write = tuple[str, Any]

edits = st.tuples(
    st.just("edit"),
    st.tuples(st.sampled_from(GROUPS), st.sampled_from(["add", "remove"]), st.sampled_from(PEOPLE)),
)
writes = st.one_of(
    edits,
    edits,
    st.tuples(st.just("put"), products()),
    st.tuples(st.sampled_from(["delete", "touch"]), st.none()),
    st.tuples(st.just("forget"), st.sampled_from(PEOPLE)),
)
pauses = st.sampled_from((1, 60, 600, 1_799, 1_800, 1_801, 4_000))
histories = st.lists(st.tuples(pauses, writes), min_size=1, max_size=14)
"""Each write with the seconds before it."""

moments = st.integers(-30_000, 30_000).map(lambda seconds: NOW + timedelta(seconds=seconds))


@contextmanager
def lived(
    history: list[tuple[int, Write]], first: dict[str, Any]
) -> Iterator[tuple[Service, Clock]]:
    """A service whose store went through a history, an hour and a half before NOW and after."""
    clock = Clock((NOW - timedelta(seconds=5_400)).isoformat())
    with (
        TemporaryDirectory() as place,
        Service(Settings(store=f"sqlite:///{place}/s.db"), clock) as service,
    ):
        for group_id in GROUPS:
            service.groups.create(P, group_id, [KEEPER], group_id=group_id, actor="first")
        clock.advance(1)
        write(service, ("put", first))
        for pause, one in history:
            clock.advance(pause)
            write(service, one)
        yield service, clock


def write(service: Service, one: Write) -> None:
    """Do one write; what the store refuses is not done."""
    what, detail = one
    store = service.catalog.store
    try:
        if what == "edit":
            group_id, change, address = detail
            edit = MembershipEdit(**{change: (address,)})
            service.groups.edit(P, group_id, edit, actor=f"{change}er")
        elif what == "put":
            store.apply(P, {PRODUCT_ID: read_product(detail)}, actor="putter")
        elif what == "delete":
            store.apply(P, {}, [PRODUCT_ID], actor="deleter")
        elif what == "forget":
            service.groups.forget(P, detail, actor="forgetter")
        else:  # another product of the publisher
            store.apply(P, {"OTHER": read_product({"name": "O", "submission": {}})}, actor="o")
    except (GroupsError, UnknownProduct):
        pass


def as_of(service: Service, query: AccessQuery, at: datetime | None) -> Decision | None:
    """The oracle: what the evaluator itself says of a moment; None where there was no product."""
    try:
        return service.evaluator.decide(structs.replace(query, at=at))
    except UnknownProduct:
        return None
