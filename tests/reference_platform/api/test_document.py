"""The OpenAPI document: Schemathesis asks a running platform all that it describes, and more that it does not.

Bounded and with a fixed seed; what it asks is derived from the document, so every route is met.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.chaos.live.stage import Stage

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 10
SCARCE = "game-1"


def _ground(case: Any, order_id: str) -> None:
    """Name things that there are: what is made up fails at the first look, and goes no deeper."""
    known = {
        "sku": SCARCE,
        "pay_with": "wallet",
        "order_id": order_id,
        "channel": "wechat",
        "supplier": "alpha",
    }
    for where in (case.path_parameters, case.body):
        if isinstance(where, dict):
            where.update({name: text for name, text in known.items() if name in where})


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_that_the_document_allows_or_forbids_is_a_server_error(
    stage: Stage, mode: GenerationMode
) -> None:
    """By a member and, on staff's routes, by staff: answers are those described, and nothing is a 500."""
    document = schemathesis.openapi.from_url(f"{stage.url('platform-1')}/openapi.json")
    asked, order = 0, stage.order("u2", f"document-{mode.value}", sku=SCARCE)
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            user = "staff" if case.path.startswith("/admin") else "u2"
            if mode is GenerationMode.POSITIVE and asked % 2:
                _ground(case, order["order_id"])
            case.call_and_validate(headers=stage.bearer(user, user), checks=CHECKS)

        try:
            ask()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.path
    assert asked >= 10 * EXAMPLES


def test_every_answer_is_documented(stage: Stage) -> None:
    """Each route says what can go wrong, and which routes want a token."""
    paths: dict[str, Any] = stage.ask("GET", "/openapi.json").body["paths"]
    assert len(paths) == 12
    for path, methods in paths.items():
        for said in methods.values():
            assert {"200", "408", "413", "422", "500", "503"} <= set(said["responses"]), path
            wants_token = not path.startswith(("/callbacks", "/health"))
            assert ("security" in said) == wants_token
            assert said.get("description"), path
