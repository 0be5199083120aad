"""Every error of ours has a status that was chosen; what a problem tells as data."""

from collections.abc import Iterator

import pytest

from eligibility.catalog.errors import ProductRevisionMismatch
from eligibility.cli.demo.first_start import CannotListen
from eligibility.errors import EligibilityError, InvalidSettings, MissingPackage
from eligibility.server.http import problems
from eligibility.service.copy import CopyDiffers
from groups.errors import (
    GroupsError,
    HistoryLost,
    InvalidStoreUrl,
    NewerDatabase,
    NotEmpty,
    NotOurDatabase,
    RevisionMismatch,
    StoreForbidden,
    StoreFull,
    UnsupportedStore,
    WouldBeEmpty,
)

NEVER_IN_A_REQUEST = {
    CannotListen,
    CopyDiffers,
    InvalidSettings,
    InvalidStoreUrl,
    MissingPackage,
    NotEmpty,
}


def kinds(base: type[Exception]) -> Iterator[type[Exception]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


OURS = {
    kind
    for kind in (*kinds(EligibilityError), *kinds(GroupsError))
    if not kind.__module__.startswith("eligibility.client")  # what a caller makes of our problems
    and not kind.__name__.startswith("_")  # only a base of others
}
ERRORS = sorted(OURS - NEVER_IN_A_REQUEST, key=str)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_a_request_can_meet_has_a_status(kind: type[Exception]) -> None:
    of_http = issubclass(kind, problems.RequestProblem)
    assert of_http or any(base in problems._STATUS for base in kind.__mro__)


@pytest.mark.parametrize(
    "error",
    [
        HistoryLost("contoso", 7),
        UnsupportedStore("Valkey 6 is too old"),
        NewerDatabase("x.db", 9, 1),
        NotOurDatabase("x.db"),
        StoreFull("disk full"),
        StoreForbidden("may not write"),
    ],
    ids=lambda error: error.code,
)
def test_a_store_that_cannot_answer_is_no_fault_of_the_request(error: Exception) -> None:
    document = problems.problem(error)
    assert document["status"] == 503
    assert problems.headers_for(document) == {"retry-after": "1"}


def test_what_changed_meanwhile_tells_its_revision_as_data_and_as_etag() -> None:
    for error in (RevisionMismatch(3, 9), ProductRevisionMismatch("APP", 3, 9)):
        document = problems.problem(error)
        assert (document["status"], document["revision"]) == (412, 9)
        assert problems.headers_for(document) == {"etag": '"9"'}


def test_what_is_not_there_has_no_etag() -> None:
    document = problems.problem(ProductRevisionMismatch("APP", 3, 0))
    assert (document["status"], document["revision"]) == (412, 0)
    assert problems.headers_for(document) == {}


def test_groups_that_would_be_empty_are_told_as_data() -> None:
    document = problems.problem(WouldBeEmpty(["contoso/solo"]))
    assert (document["status"], document["groups"]) == (409, ["contoso/solo"])
