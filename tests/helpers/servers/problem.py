"""What every problem of the API has to be."""

from typing import Any


def assert_problem(answer: Any, status: int, code: str, inner: str | None = None) -> None:
    """RFC 9457: media type, members, and our codes."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:eligibility:problem:{code.lower().replace('_', '-')}"
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert problem["detail"]
    if inner is not None:
        assert inner in [error["code"] for error in problem["errors"]]
