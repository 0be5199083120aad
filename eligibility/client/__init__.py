"""The Python client of the HTTP API, synchronous and asynchronous.

Requires only httpx2, msgspec and packaging, not the dependencies of the server (docs/client.md).
"""

from eligibility.access.codes import AccountKind, Action, Consistency, Reason
from eligibility.access.model import Revision
from eligibility.client.async_client import AsyncClient
from eligibility.client.errors import Forbidden, NotFound, Problem, Unauthenticated, Unreachable
from eligibility.client.model import (
    SERVICE_UNREACHABLE,
    Account,
    Decision,
    Device,
    EditResponse,
    Query,
    StoredProduct,
)
from eligibility.client.sync_client import Client
from eligibility.errors import Fault
from groups.model import Group

__all__ = [
    "SERVICE_UNREACHABLE",
    "Account",
    "AccountKind",
    "Action",
    "AsyncClient",
    "Client",
    "Consistency",
    "Decision",
    "Device",
    "EditResponse",
    "Fault",
    "Forbidden",
    "Group",
    "NotFound",
    "Problem",
    "Query",
    "Reason",
    "Revision",
    "StoredProduct",
    "Unauthenticated",
    "Unreachable",
]
