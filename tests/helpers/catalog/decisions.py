"""What `decide` says of values written out."""

from datetime import datetime
from typing import Any

from eligibility.access.model import Decision
from eligibility.access.wire import query_of
from eligibility.catalog.validation import ValidationContext, read_product, validate
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements
from tests.helpers.catalog.strategies import GROUPS, NOW

Body = dict[str, Any]

REQUIREMENTS = load_requirements()


def case_of(query: Body, product: Body, groups: set[str], now: datetime = NOW) -> Case:
    declared = read_product(product)
    validate("APP", declared, ValidationContext(GROUPS, now))
    return Case(query_of(**query), declared, frozenset(groups), REQUIREMENTS, now)


def ask(query: Body, product: Body, groups: set[str], now: datetime = NOW) -> Decision:
    return decide(case_of(query, product, groups, now))
