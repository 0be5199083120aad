"""The trace of a decision: written only where somebody reads it, and without a say in the verdict."""

import inspect

from hypothesis import given
from msgspec import UNSET, structs

from eligibility.rules.decide import decide
from eligibility.rules.trace import NO_TRACE, Trace
from tests.helpers.catalog.decisions import Body, case_of
from tests.helpers.catalog.strategies import memberships, products, queries


def public_methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}


def test_no_trace_ignores_every_step_that_a_trace_notes() -> None:
    own = {name for name in vars(type(NO_TRACE)) if not name.startswith("_")}
    assert own == public_methods(Trace)
    assert NO_TRACE.steps == []


@given(queries, products(), memberships)
def test_the_trace_changes_nothing_about_the_verdict(
    query: Body, product: Body, groups: set[str]
) -> None:
    case = case_of(query, product, groups)
    plain, explained = decide(case), decide(case, explain=True)
    assert plain.trace is UNSET
    assert explained.trace
    assert structs.replace(explained, trace=UNSET) == plain
    assert NO_TRACE.steps == []
