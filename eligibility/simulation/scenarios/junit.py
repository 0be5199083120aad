"""Write results as JUnit XML for continuous integration, with a suite for each file."""

import re
from collections.abc import Iterable

from junitparser import Failure, JUnitXml, TestCase, TestSuite
from msgspec import UNSET

from eligibility.simulation.scenarios.messages import difference_lines, where_text
from eligibility.simulation.scenarios.run import FileResult, Mismatch, ScenarioResult

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(files: Iterable[FileResult]) -> str:
    """Return the results as the text of a JUnit file."""
    report = JUnitXml("eligibility test")
    for ran in files:
        suite = TestSuite(_plain(f"{ran.file.title} ({ran.file.path})"))  # the path makes it unique
        for result, seconds in zip(ran.results, ran.seconds, strict=True):
            suite.add_testcase(_case(ran.file.path.stem, result, seconds))
        report.add_testsuite(suite)
    report.update_statistics()
    text: bytes = report.tostring()
    return f"{_DECLARATION}\n{text.decode()}\n"


def _case(topic: str, result: ScenarioResult, seconds: float) -> TestCase:
    case = TestCase(_plain(result.scenario.sentence), _plain(topic), round(seconds, 6))
    if result.mismatches:  # JUnit readers expect at most one failure for a test case
        first = "; ".join(difference_lines(result.mismatches[0]))
        failure = Failure(_plain(first), "not as expected")
        texts = ("\n".join(_details(result, mismatch)) for mismatch in result.mismatches)
        failure.text = _plain("\n\n".join(texts))
        case.result = failure
    return case


def _details(result: ScenarioResult, mismatch: Mismatch) -> Iterable[str]:
    yield f"{result.scenario.file}:{result.scenario.line}"
    yield where_text(mismatch)
    yield from difference_lines(mismatch)
    trace = mismatch.decision.trace
    if trace is not UNSET:
        yield "why:"
        yield from (f"  {s.step}: {s.outcome} ({s.detail}) [{s.source}]" for s in trace)


def _plain(text: str) -> str:
    """Replace characters that XML does not allow."""
    return _NOT_XML.sub("�", text)
