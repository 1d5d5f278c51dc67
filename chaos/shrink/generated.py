"""A shrunk case as a test file that stands alone: it fails while the bug is there, and needs only dingfeng."""

from __future__ import annotations

from collections.abc import Sequence
from pprint import pformat
from string import Template

from chaos.shrink.plain import plain
from chaos.shrink.shrinker import Shrunk

DESIGN_VARIABLE = "DINGFENG_DESIGN"

_FILE = Template('''"""$title

Shrunk by dingfeng from $origin to $faults and $orders.
$storm

It fails on the design it was found on. Another design is tried with
`$variable=resilient pytest $file`.
"""

from __future__ import annotations

import os
from typing import Any

from chaos.run import run
from chaos.story import tell, worst
from scenarios.model import Scenario

DESIGN = os.environ.get("$variable") or $design
SEED = $seed
PLAN: dict[str, dict[str, Any]] = $plan
KEEP: tuple[int, ...] | None = $keep
SCENARIO: dict[str, Any] = $scenario


def $function() -> None:
    """$rule"""
    result = run(Scenario.model_validate(SCENARIO), DESIGN, SEED, plan=PLAN, keep=KEEP)
    if result.violated:
        story = tell(result.history, worst(result.verdicts), "en")
        raise AssertionError("\\n".join([f"violated: {', '.join(result.violated)}", story.title, *story.sentences]))
    judged = {verdict.invariant: verdict.outcome for verdict in result.verdicts}
    assert judged[$invariant] == "holds"
''')


def file_name(shrunk: Shrunk) -> str:
    """`test_callback_doubled_i23.py`."""
    return f"{_function(shrunk)}.py"


def pytest_file(shrunk: Shrunk, title: str, rule: str, storm: Sequence[str]) -> str:
    """The whole file. `title` is the story's headline, `rule` what the invariant says, `storm` the blows in words."""
    after, before = shrunk.after, shrunk.before
    case = after.case
    return _FILE.substitute(
        title=_sentence(title),
        origin=f"{before.faults} faults and {before.orders} orders",
        faults=_count(after.faults, "fault"),
        orders=_count(after.orders, "order"),
        storm="\n".join(f"- {_docstring(fault)}" for fault in storm) or "No fault is needed.",
        variable=DESIGN_VARIABLE,
        file=file_name(shrunk),
        design=repr(case.design),
        seed=case.seed,
        plan=_literal(case.plan or {}),
        keep=repr(case.keep),
        scenario=_literal(plain(case.scenario)),
        function=_function(shrunk),
        rule=_sentence(rule),
        invariant=repr(shrunk.signature.invariant),
    )


def _function(shrunk: Shrunk) -> str:
    return f"test_{shrunk.after.case.scenario.name}_{shrunk.signature.invariant.replace('-', '').lower()}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _literal(value: object) -> str:
    return pformat(value, width=100, sort_dicts=False)


def _sentence(text: str) -> str:
    """One line that may stand in a docstring, ending in a full stop."""
    return _docstring(text).rstrip(".") + "."


def _docstring(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace('"', "'").split())
