"""Pages of a search: what was asked for, and tokens that go on where a page ended.

A token is encrypted, for it may hold an address; it is good only for its own query and limit.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import StrictReader
from eligibility.server.authzen.requests import RawMember, is_present
from eligibility.server.http.sealed_cursors import Seal

LONGEST_PAGE = 1_000

ResultKey = Sequence[str]
"""What results are ordered by, ascending."""

_encode = msgspec.json.Encoder().encode


class _PageAsked(Struct, gc=False):
    """See the standard's section 8.2."""

    token: str | None | UnsetType = UNSET
    limit: int | None | UnsetType = UNSET


class _Token(Struct, gc=False):
    """The content of a token. query: digest of the query. after: key of the last result."""

    query: str
    limit: int
    after: list[str]


class SearchPage(NamedTuple):
    """A page to be filled. after: key of the last result before it; None for the first page.

    asked: the request has a page; else only an answer that is cut says anything of pages.
    """

    query: str
    limit: int
    after: ResultKey | None
    asked: bool


class SearchResult(NamedTuple):
    """One result, and its key."""

    key: ResultKey
    result: dict[str, str]


_page = StrictReader(_PageAsked)


class Pages:
    """Reads the page of a request, and fills it.

    secret: gives the deployment's digest key; may ask the store.
    """

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._seal = Seal(secret, b"authzen pages")

    def read(self, sent: RawMember, query: object) -> SearchPage:
        """Read the page of a request. Args: query = all else that is asked, and who asks.

        Raises: InvalidInput, also for a token of another query or limit.
        """
        digest = blake2b(_encode(query), digest_size=16).hexdigest()
        asked = _read(sent) if is_present(sent) else None
        if asked is None:
            return SearchPage(digest, LONGEST_PAGE, None, False)
        limit = asked.limit if isinstance(asked.limit, int) else None
        if limit is not None and limit < 0:
            raise _fault("limit", "WRONG_VALUE", "must be 0 or more")
        if not asked.token:
            return SearchPage(
                digest, LONGEST_PAGE if limit is None else min(limit, LONGEST_PAGE), None, True
            )
        token = self._opened(str(asked.token))
        if token.query != digest or (limit is not None and min(limit, LONGEST_PAGE) != token.limit):
            raise _fault("token", "OTHER_QUERY", "is of another query or limit")
        return SearchPage(digest, token.limit, token.after or None, True)

    def filled(self, page: SearchPage, results: Iterator[SearchResult]) -> bytes:
        """The answer with a page of results, which begin after `page.after`."""
        found = list(islice(results, page.limit + 1))
        more, found = found[page.limit :], found[: page.limit]
        answer: dict[str, Any] = {}
        if page.asked or more:
            last = found[-1].key if found else page.after or ()
            next_token = self._token(_Token(page.query, page.limit, list(last))) if more else ""
            answer["page"] = {"next_token": next_token, "count": len(found)}
        return _encode({**answer, "results": [one.result for one in found]})

    def _token(self, token: _Token) -> str:
        return self._seal.sealed(_encode(token).decode())

    def _opened(self, sealed: str) -> _Token:
        token = self._seal.opened(sealed)
        if token is None:
            raise _fault("token", "UNKNOWN_TOKEN", "is not the `next_token` of an earlier page")
        return msgspec.json.decode(token, type=_Token)


def _read(sent: RawMember) -> _PageAsked:
    try:
        return _page.read(bytes(sent))  # type: ignore[arg-type]
    except InvalidInput as error:
        faults = [Fault(f"page.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise InvalidInput(faults) from None


def _fault(name: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput([Fault(f"page.{name}", code, detail)])
