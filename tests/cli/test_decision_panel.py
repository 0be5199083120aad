"""What `check` prints of a package: its file, and its version where the file's name has none."""

import io
from typing import Literal

import pytest
from rich.console import Console

from eligibility.access.codes import Reason
from eligibility.access.model import (
    Decision,
    OfferedPackage,
    PackageSource,
    PackageVerdict,
    Revision,
    SubmissionVerdict,
)
from eligibility.cli.show.base import decision_panel


def printed(file_name: str, action: Literal["install", "update", "keep"]) -> str:
    package = PackageVerdict(
        True,
        PackageSource("flight", "canary", "Canary", 3),
        OfferedPackage(file_name, "2.0.0.0", "x64"),
        action,
        "automatic",
        (Reason.FLIGHT_MEMBER,),
    )
    submission = SubmissionVerdict(True, "public", "searchable", (Reason.PUBLIC_AUDIENCE,))
    decision = Decision("READER", True, submission, package, (), None, Revision(1, 1), 0)
    text = io.StringIO()
    Console(file=text, width=200).print(decision_panel(decision))
    return text.getvalue()


@pytest.mark.parametrize("action", ["install", "update", "keep"])
def test_the_version_stands_beside_a_file_name_without_it(
    action: Literal["install", "update", "keep"],
) -> None:
    for name in ("Reader.msixbundle", "Reader_12.0.0.0.msixbundle"):
        assert f"{action} {name} 2.0.0.0, x64, automatic" in printed(name, action)


def test_a_file_name_that_has_the_version_is_enough() -> None:
    assert "keep Reader_2.0.0.0.msixbundle, x64" in printed("Reader_2.0.0.0.msixbundle", "keep")
