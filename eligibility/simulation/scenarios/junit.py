"""Results as JUnit XML, which continuous integration reads: a suite a file, a test case a case."""

import re
from collections.abc import Iterable

from junitparser import Failure, JUnitXml, TestCase, TestSuite
from msgspec import UNSET

from eligibility.simulation.scenarios.messages import differences_in_words, where_in_words
from eligibility.simulation.scenarios.run import FileResult, Mismatch, ScenarioResult

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(files: Iterable[FileResult]) -> str:
    """The text of a JUnit file."""
    made = JUnitXml("eligibility test")
    for ran in files:
        suite = TestSuite(_plain(f"{ran.file.title} ({ran.file.path})"))  # one name, one suite
        for result, seconds in zip(ran.results, ran.seconds, strict=True):
            suite.add_testcase(_case(ran.file.path.stem, result, seconds))
        made.add_testsuite(suite)
    made.update_statistics()
    text: bytes = made.tostring()
    return f"{_DECLARATION}\n{text.decode()}\n"


def _case(topic: str, result: ScenarioResult, seconds: float) -> TestCase:
    case = TestCase(_plain(result.scenario.sentence), _plain(topic), round(seconds, 6))
    if result.mismatches:  # readers take one failure a case
        first = "; ".join(differences_in_words(result.mismatches[0]))
        failure = Failure(_plain(first), "not as expected")
        texts = ("\n".join(_details(result, mismatch)) for mismatch in result.mismatches)
        failure.text = _plain("\n\n".join(texts))
        case.result = failure
    return case


def _details(result: ScenarioResult, mismatch: Mismatch) -> Iterable[str]:
    yield f"{result.scenario.file}:{result.scenario.line}"
    yield where_in_words(mismatch)
    yield from differences_in_words(mismatch)
    trace = mismatch.decision.trace
    if trace is not UNSET:
        yield "why:"
        yield from (f"  {s.step}: {s.outcome} ({s.detail}) [{s.source}]" for s in trace)


def _plain(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _NOT_XML.sub("�", text)
