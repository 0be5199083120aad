"""Which side of a rollout an account is on hangs on one address, whichever of its addresses signs in."""

from hypothesis import given
from hypothesis import strategies as st

from eligibility.access.model import Account
from eligibility.rules.rollout import bucket

_ADDRESSES = st.lists(
    st.from_regex(r"\A[a-z]{1,8}@example\.com\Z"), min_size=1, max_size=4, unique=True
)


@given(_ADDRESSES, st.data())
def test_an_account_has_one_side_whichever_address_signs_in(
    addresses: list[str], data: st.DataObject
) -> None:
    first, *others = data.draw(st.permutations(addresses))
    account = Account.parse(first, aliases=others)
    assert bucket("APP", account.rollout_address) == bucket("APP", min(addresses))


def test_without_aliases_each_address_has_its_own_side() -> None:
    assert Account.parse("zoe@example.com").rollout_address == "zoe@example.com"
