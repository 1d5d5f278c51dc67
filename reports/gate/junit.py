"""The decision as JUnit XML: a case for each scenario, design and invariant, and for every other demand.

Violated and inconclusive are failures (of different types), for a CI server shows a skipped case as green; a
harness that broke is an error. What is tolerated passes, with its reason in the output. No two cases have the same
class and name, for CI servers take the second for the first.
"""

from __future__ import annotations

from collections import Counter

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from chaos.tally import replay_command
from reports.gate.check import KINDS, Check
from reports.gate.judging import Decision
from reports.gate.sentences import Sentences


def render(decision: Decision, lang: str) -> str:
    """The whole document."""
    say = Sentences(lang)
    document = JUnitXml("dingfeng gate")
    named: Counter[tuple[str, str]] = Counter()
    for kind in KINDS:
        found = [check for check in decision.checks if check.kind == kind]
        if found:
            suite = TestSuite(f"gate.{kind}")
            for check in found:
                suite.add_testcase(_case(check, say, named))
            document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    text = document.tostring()  # type: ignore[no-untyped-call]
    return (text.decode("utf-8") if isinstance(text, bytes) else str(text)) + "\n"


def _case(check: Check, say: Sentences, named: Counter[tuple[str, str]]) -> TestCase:
    group = ".".join(part for part in (check.design, check.scenario) if part) or check.kind
    name = say.subject(check)
    if check.kind == "baseline":
        name = say.words("gate.told", what=say.words("kind.baseline"), reason=name)
    named[group, name] += 1
    count = named[group, name]
    case = TestCase(name=_clean(name if count == 1 else f"{name} ({count})"), classname=_clean(group))
    reason = say.reason(check)
    lines = "\n".join([reason, *map(replay_command, check.replay)])
    match check.outcome:
        case "violated" | "inconclusive":
            failure = Failure(_clean(reason), check.outcome)
            failure.text = _clean(lines)
            case.result = [failure]
        case "broken":
            error = Error(_clean(reason), "broken")
            error.text = _clean(lines)
            case.result = [error]
        case _:
            case.system_out = _clean(reason)
    return case


def _clean(text: str) -> str:
    """XML 1.0 cannot hold control characters; a crash may well print some."""
    return "".join(letter for letter in text if letter in "\n\t" or letter >= " ")
