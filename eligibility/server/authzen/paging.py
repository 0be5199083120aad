"""Pages of search results, and the tokens with which a client asks for the next page.

A token is encrypted because it may contain an address. It is valid only for the same query and limit.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from eligibility.errors import Fault, InvalidInput
from eligibility.formats.strict_struct import StrictReader
from eligibility.server.authzen.entities import within
from eligibility.server.authzen.requests import RawMember, is_present
from eligibility.server.http.sealed_cursors import Seal

LONGEST_PAGE = 1_000

ResultKey = Sequence[str]
"""The key by which results are sorted, ascending."""

_encode = msgspec.json.Encoder().encode


class _PageFields(Struct, gc=False):
    """The page member of a request (section 8.2 of the standard)."""

    token: str | None | UnsetType = UNSET
    limit: int | None | UnsetType = UNSET


class _Token(Struct, gc=False):
    """The content of a token. query: digest of the query. after: key of the page's last result."""

    query: str
    limit: int
    after: list[str]


class SearchPage(NamedTuple):
    """A page to fill. after: key of the last result on the previous page; None for the first page.

    requested: the request has the member `page`; if not, the response has `page` only if results are left.
    """

    query: str
    limit: int
    after: ResultKey | None
    requested: bool


class SearchResult(NamedTuple):
    """A search result, and the key by which results are ordered."""

    key: ResultKey
    result: dict[str, str]


_page = StrictReader(_PageFields)


class Pages:
    """Reads requested pages, and writes responses. secret: returns the deployment's digest key."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._seal = Seal(secret, b"authzen pages")

    def read(self, sent: RawMember, query: object) -> SearchPage:
        """Read a request's page. query: its other parts. Raises: InvalidInput for another query."""
        digest = blake2b(_encode(query), digest_size=16).hexdigest()
        if not is_present(sent):
            return SearchPage(digest, LONGEST_PAGE, None, False)
        fields: _PageFields = within("page", _page.read, bytes(sent))  # type: ignore[arg-type]
        limit = fields.limit if isinstance(fields.limit, int) else None
        if limit is not None and limit < 0:
            raise _fault("limit", "WRONG_VALUE", "must be 0 or more")
        if not fields.token:
            return SearchPage(
                digest, LONGEST_PAGE if limit is None else min(limit, LONGEST_PAGE), None, True
            )
        token = self._opened(str(fields.token))
        if token.query != digest or (limit is not None and min(limit, LONGEST_PAGE) != token.limit):
            raise _fault("token", "OTHER_QUERY", "belongs to another query or limit")
        return SearchPage(digest, token.limit, token.after or None, True)

    def filled(self, page: SearchPage, results: Iterator[SearchResult]) -> bytes:
        """Write the response with a page of results. Args: results = all that follow `page.after`."""
        items = list(islice(results, page.limit + 1))
        more, items = items[page.limit :], items[: page.limit]
        response: dict[str, Any] = {}
        if page.requested or more:
            last = items[-1].key if items else page.after or ()
            token = _encode(_Token(page.query, page.limit, list(last))).decode()
            next_token = self._seal.sealed(token) if more else ""
            response["page"] = {"next_token": next_token, "count": len(items)}
        return _encode({**response, "results": [item.result for item in items]})

    def _opened(self, sealed: str) -> _Token:
        token = self._seal.opened(sealed)
        if token is None:
            raise _fault("token", "UNKNOWN_TOKEN", "is not the `next_token` of an earlier page")
        return msgspec.json.decode(token, type=_Token)


def _fault(name: str, code: str, detail: str) -> InvalidInput:
    return InvalidInput([Fault(f"page.{name}", code, detail)])
