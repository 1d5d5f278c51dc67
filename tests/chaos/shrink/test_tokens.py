"""A case as one word: it runs as the case does, and a damaged one is refused in one message."""

from __future__ import annotations

import pytest

from chaos.replay import Case
from chaos.results import ResultsError
from chaos.shrink import tokens
from chaos.shrink.shrinker import shrink
from chaos.shrink.tokens import decode, encode, is_token
from scenarios import loading


def test_a_small_case_is_one_word_that_runs_the_same() -> None:
    """No file is needed; names of people's stories are not carried, what makes the run is."""
    shrunk = shrink(Case(loading.load("callback_late"), "naive", 1)).after
    token = encode(shrunk.case)
    assert is_token(token)
    assert len(token) <= tokens.LONGEST
    assert not set(token) & set(" '\"$&|;<>()`\\/:")
    assert decode(token).run().digest == shrunk.result.digest


def test_plan_and_kept_orders_travel() -> None:
    """None and nothing are different things for both."""
    case = Case(loading.load("calm_trade"), "naive", 7, {"0/x/y/z": {"delay_us": 3}}, (1, 4))
    for wanted in (case, Case(case.scenario, "naive", 7), Case(case.scenario, "naive", 7, {}, ())):
        got = decode(encode(wanted))
        assert (got.design, got.seed, got.plan, got.keep) == ("naive", 7, wanted.plan, wanted.keep)
        assert got.scenario.workload == wanted.scenario.workload


def test_a_case_too_long_to_paste_has_no_token() -> None:
    """Better no token than one that nobody can handle."""
    plan = {f"0/x/y/{number * 7919}": {"delay_us": number * 104_729} for number in range(400)}
    assert encode(Case(loading.load("calm_trade"), "naive", 1, plan)) == ""


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-5], lambda t: t[:20] + "A" + t[21:], lambda _: "df1.", lambda _: "df1.%%"]
)
def test_a_damaged_token_is_refused(spoil: object) -> None:
    """Cut off, changed, empty, or not a token's letters."""
    good = encode(Case(loading.load("calm_trade"), "naive", 1))
    with pytest.raises(ResultsError, match="a damaged replay token"):
        decode(spoil(good))  # type: ignore[operator]
