"""Requests within one publisher of a real server."""

import uuid
from typing import Any

import pytest

from tests.helpers.servers.process import Server

A, B, C = "a@example.com", "b@example.com", "c@example.com"


class Publisher:
    """Requests within one publisher."""

    def __init__(self, server: Server) -> None:
        self.name = f"p{uuid.uuid4().hex}"
        self._http = server.http

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        url = f"/v1/publishers/{self.name}/{path}"
        return self._http.request(method, url, json=body, **more)

    def group(self, group_id: str = "beta", *members: str) -> Any:
        body = {"name": group_id, "group_id": group_id, "emails": list(members or (A, B))}
        answer = self("POST", "groups", body)
        assert answer.status_code == 201, answer.text
        return answer

    def members(self, group_id: str = "beta") -> list[str]:
        items: list[str] = self("GET", f"groups/{group_id}/members").json()["items"]
        return items


@pytest.fixture
def publisher(server: Server) -> Publisher:
    return Publisher(server)
