"""What the clients send and read, against what the service takes and writes."""

from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.access import codes, explanation, model, wire
from eligibility.client import Account, Decision, Device, EditResponse, Query, Reason, StoredProduct
from eligibility.client import model as client_model
from eligibility.server.api import group_bodies, products


def fields(kind: Any) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize("name", ["Remedy", "SubmissionVerdict", "PackageVerdict", "Decision"])
def test_what_is_read_has_the_fields_of_what_is_written(name: str) -> None:
    assert fields(getattr(client_model, name)) == fields(getattr(model, name))


@pytest.mark.parametrize("name", ["SuggestedChange", "ChangeSet", "LeastChange"])
def test_so_has_what_explains_it(name: str) -> None:
    assert fields(getattr(client_model, name)) == fields(getattr(explanation, name))


def test_what_is_sent_has_the_fields_of_what_is_taken() -> None:
    assert set(fields(Query)) == set(fields(wire.QueryFields))
    assert set(fields(Device)) == set(fields(wire.DeviceFields))
    assert set(fields(Account)) == set(fields(wire.AccountFields))
    assert fields(EditResponse) == list(group_bodies.EditResponse.model_fields)
    assert fields(StoredProduct) == list(products.ProductResponse.model_fields)


def test_an_account_is_told_one_way() -> None:
    with pytest.raises(ValueError, match="either an id or a token"):
        Account()
    with pytest.raises(ValueError, match="either an id or a token"):
        Account("ada@contoso.example", token="t")
    assert msgspec.json.encode(Account(token="t")) == b'{"token":"t"}'


_reasons = st.lists(st.sampled_from(codes.Reason)).map(tuple)
_texts = st.lists(st.text()).map(tuple)
_moments = st.datetimes(timezones=st.just(UTC))
_source = st.builds(
    model.PackageSource,
    st.sampled_from(["flight", "submission"]),
    st.none() | st.text(),
    st.text(),
    st.integers(1, 9),
)
_remedy = st.builds(
    model.Remedy,
    st.sampled_from(codes.Action),
    st.sampled_from(["package", "flight"]),
    st.text(),
    _texts,
    _texts,
    _texts,
    _texts,
    _texts,
    st.none() | st.text(),
    st.none() | st.text(),
    st.none() | _moments,
)
_page = st.builds(explanation.DocumentationPage, st.text(), st.text(), st.text())
_change = st.builds(
    explanation.SuggestedChange,
    st.sampled_from(codes.Action),
    st.sampled_from(["person", "publisher"]),
    st.text(),
    st.none() | st.text(),
    at=st.none() | _moments,
)
_decisions = st.builds(
    model.Decision,
    st.text(),
    st.booleans(),
    st.builds(
        model.SubmissionVerdict,
        st.booleans(),
        st.sampled_from(["public", "private"]),
        st.sampled_from(["searchable", "hidden"]),
        _reasons,
    ),
    st.builds(
        model.PackageVerdict,
        st.booleans(),
        st.none() | _source,
        st.none() | st.builds(model.OfferedPackage, st.text(), st.text(), st.text()),
        st.sampled_from(["install", "none"]),
        st.none() | st.just("manual"),
        _reasons,
    ),
    st.lists(_remedy, max_size=3).map(tuple),
    st.none() | st.builds(model.Settling, st.text(), st.just("added"), _moments, _moments),
    st.builds(model.Revision, st.integers(0, 9), st.integers(0, 9)),
    st.integers(0, 1_800),
    st.just(msgspec.UNSET)
    | st.lists(
        st.builds(
            model.TraceStep,
            st.text(),
            st.text(),
            st.text(),
            st.text(),
            st.dictionaries(st.text(), st.text() | _texts),
        )
    ).map(tuple),
    st.just(msgspec.UNSET)
    | st.lists(st.builds(explanation.Sentence, st.text(), st.lists(_page).map(tuple))).map(tuple),
    st.just(msgspec.UNSET)
    | st.builds(
        explanation.LeastChange,
        st.text(),
        st.lists(
            st.builds(
                explanation.ChangeSet,
                st.lists(_change, max_size=2).map(tuple),
                st.text(),
                st.text(),
            ),
            max_size=2,
        ).map(tuple),
        st.integers(0, 1_000),
        st.booleans(),
    ),
)


@given(_decisions)
def test_a_decision_read_is_the_decision_written(decision: model.Decision) -> None:
    written = wire.encode(decision)
    read = msgspec.json.decode(written, type=Decision)
    assert msgspec.json.encode(read) == written
    assert read.granted == decision.granted
    assert read.package.reasons == decision.package.reasons
    assert read.from_service


def test_a_reason_of_a_later_version_stops_nobody() -> None:
    told = wire.encode(
        model.Decision(
            "A",
            True,
            model.SubmissionVerdict(True, "public", "searchable", (Reason.PUBLIC_AUDIENCE,)),
            model.PackageVerdict(True, None, None, "keep", None, ()),
        )
    )
    later = told.replace(b'"PUBLIC_AUDIENCE"', b'"PUBLIC_ON_MARS"').replace(b"{", b'{"new":1,', 1)
    assert msgspec.json.decode(later, type=Decision).submission.reasons == ("PUBLIC_ON_MARS",)
