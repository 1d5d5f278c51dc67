"""Members order, think, pay, look, give up and come back; each kind of misbehaviour does what it says."""

from __future__ import annotations

import itertools

import pytest

from chaos.history import Book, Fail, Ok
from reference_platform.ports import MINUTE, SECOND, Request, Response
from sim.kernel import HarnessError
from sim.network import Loss
from tests.sim.counterparties.scene import Sure
from tests.sim.people.town import Town


def _captures(town: Town) -> list[str]:
    return [e.ref for e in town.history.events if isinstance(e, Book) and e.entry == "captured"]


def test_a_plain_order_is_placed_paid_and_looked_at_once_or_twice() -> None:
    """Few looks in the happy path: the goods are there within a second or two."""
    town = Town().live(("u1", "card"))
    story = town.story()
    assert story[:4] == ["place_order", "place_order:ok", "pay", "pay:ok"]
    assert story[4:] in (["view_order", "view_order:ok"], ["view_order", "view_order:ok"] * 2)
    think_us = town.times("pay")[0] - town.times("place_order")[0]
    assert 3 * SECOND <= think_us <= 31 * SECOND


def test_every_operation_is_recorded_before_it_is_sent_and_after_it_is_known() -> None:
    """The outcome carries the number, user and action of its invocation, later in time."""
    town = Town().live(("u1", "card"), ("u2", "card"))
    open_ops = {}
    for event in town.history.events:
        if type(event).__name__ == "Invoke":
            open_ops[event.op] = event  # type: ignore[union-attr]
        elif isinstance(event, Ok):
            asked = open_ops.pop(event.op)
            assert (asked.user, asked.action) == (event.user, event.action)  # type: ignore[union-attr]
            assert event.t_us >= asked.t_us + (0 if event.action == "pay" else 20_000)
    assert open_ops == {}


def test_a_5xx_answer_is_unknown_and_the_member_submits_again_with_the_same_key() -> None:
    """Up to three times more, 2 to 8 seconds apart and longer each time."""
    town = Town(bend=lambda r: Response(503) if r.action == "place_order" else None).live(("u1", "card"))
    assert town.story() == ["place_order", "place_order:unknown"] * 4
    assert {args["client_key"] for args in town.args("place_order")} == {"k0"}
    times = town.times("place_order")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(2 * n * SECOND <= gap <= (8 * n + 1) * SECOND for n, gap in enumerate(gaps, start=1))


def test_silence_is_unknown_but_a_dead_edge_is_a_certain_failure() -> None:
    """A time-out may have had its effect; a refused connection cannot have had any."""
    lost = Town()
    lost.network.add(Loss(), "users", "edge", stream="upstream")
    assert set(lost.live(("u1", "card")).story()) == {"place_order", "place_order:unknown"}
    dead = Town()
    dead.edge.crash()
    assert set(dead.live(("u1", "card")).story()) == {"place_order", "place_order:fail"}


def test_a_refused_order_ends_the_story() -> None:
    """4xx is an answer: out of stock is not asked again."""
    town = Town(bend=lambda _: Response(409, {"error": "out_of_stock"})).live(("u1", "card"))
    assert town.story() == ["place_order", "place_order:fail"]
    failure = next(event for event in town.history.events if isinstance(event, Fail))
    assert failure.result == {"status": 409, "error": "out_of_stock"}


def test_an_unsettled_order_is_looked_at_ever_more_rarely_until_patience_ends() -> None:
    """About 1s, 3s, 10s, 30s, 1m, 2m, 5m, 10m apart, and no longer than 30 to 90 minutes."""
    town = Town(bend=lambda r: Response(200) if r.action.startswith("callback") else None).live(
        ("u1", "card")
    )
    times = town.times("view_order")
    gaps_s = [(later - earlier) / 1e6 for earlier, later in itertools.pairwise(times)]
    for gap_s, about_s in zip(gaps_s, (3, 10, 30, 60, 120, 300, 600), strict=False):
        assert 0.8 * about_s <= gap_s <= 1.2 * about_s + 1
    patience_us = times[-1] - town.times("pay")[0]
    assert 15 * MINUTE <= patience_us <= 90 * MINUTE


def test_closed_settles_nothing_for_somebody_who_has_paid() -> None:
    """The member goes on looking, and sees the late completion; the one who never paid leaves."""
    late: list[int] = []

    def closed(request: Request) -> Response | None:
        if request.action == "view_order" and not late:
            return Response(200, {"status": "closed"})
        return None

    town = Town(bend=closed)
    town.kernel.call_at(4 * MINUTE, late.append, 1)
    assert len(town.live(("u1", "card")).times("view_order")) >= 5
    assert town.times("view_order")[-1] > 4 * MINUTE
    unpaid = Town(bend=closed, storm=Sure({"user.pay_late": {"delay_us": 20 * MINUTE}}))
    assert len(unpaid.live(("u1", "card")).times("view_order")) == 1


def test_a_worried_member_looks_at_the_wallet_after_five_minutes() -> None:
    """Not before; then with each look."""
    town = Town(bend=lambda r: Response(200) if r.action.startswith("callback") else None).live(
        ("u1", "card")
    )
    paid_us = town.times("pay")[0]
    late = [at_us for at_us in town.times("view_order") if at_us + 20_000 > paid_us + 5 * MINUTE]
    assert len(town.times("view_wallet")) == len(late) > 0


def test_a_new_member_looks_whether_the_membership_is_there() -> None:
    """After a membership order is completed, and only then."""
    town = Town().live(("u1", "vip"), ("u2", "card"))
    assert town.story("view_membership") == ["view_membership", "view_membership:ok"]


def test_a_topup_goes_to_the_members_own_account() -> None:
    """Other goods need no account; the storm can make it a wrong one."""
    assert [a["account"] for a in Town().live(("u1", "phone"), ("u2", "card")).args("place_order")] == [
        "acct-u1",
        "",
    ]
    wrong = Town(storm=Sure({"user.wrong_account": {}})).live(("u1", "phone"))
    assert wrong.args("place_order")[0]["account"] == "wrong-u1"


def test_a_wallet_order_needs_no_payment() -> None:
    """There is no charge, so the member only looks."""
    town = Town().live(("u1", "card"), pay_with="wallet")
    assert town.story("place_order", "pay") == ["place_order", "place_order:ok"]
    assert town.story("view_order") == ["view_order", "view_order:ok"]


# ---------------------------------------------------------------- misbehaviour


def test_a_member_who_abandons_never_pays() -> None:
    """The order is placed and left alone."""
    town = Town(storm=Sure({"user.abandon": {}})).live(("u1", "card"))
    assert town.story() == ["place_order", "place_order:ok"]


def test_many_clicks_carry_one_client_key() -> None:
    """The clicks go out at once, each an operation of its own; one payment follows."""
    town = Town(storm=Sure({"user.double_submit": {"times": 3, "spacing_us": 50_000}})).live(("u1", "card"))
    assert town.times("place_order") == [0, 50_000, 100_000, 150_000]
    assert {args["client_key"] for args in town.args("place_order")} == {"k0"}
    assert len(_captures(town)) == 1


def test_a_drop_while_ordering_leaves_the_outcome_unknown_and_the_member_comes_back() -> None:
    """The request goes on without its sender; after `back_after_us` the same key is submitted again."""
    storm = Sure({"user.drop": {"back_after_us": 20 * SECOND}}, lambda key: key == ("k0", "place_order", "1"))
    town = Town(storm=storm).live(("u1", "card"), until_us=10 * SECOND)
    assert list(town.orders) == ["Ok0"]
    town.kernel.run_until(60 * MINUTE)
    assert town.story("place_order") == [
        "place_order",
        "place_order:unknown",
        "place_order",
        "place_order:ok",
    ]
    assert town.times("place_order") == [0, 20 * SECOND]
    assert list(town.orders) == ["Ok0"]


def test_a_drop_while_paying_is_looked_up_before_paying_again() -> None:
    """Whether the first payment got through or not, exactly one capture comes of it."""
    storm = Sure({"user.drop": {"back_after_us": MINUTE}}, lambda key: key[1] == "pay" and key[-1] == "1")
    town = Town(storm=storm).live(*[(f"u{n}", "card") for n in range(12)])
    captures = _captures(town)
    assert sorted(captures) == sorted(f"Ok{n}/c1" for n in range(12))
    through = [e for e in town.history.events if isinstance(e, Ok) and e.action == "pay"]
    assert 0 < len(through) < 12  # the rest were captured by the dropped payment itself
    assert town.story("pay").count("pay:unknown") == 12
    assert town.story("pay").count("pay") == 12 + len(through)  # who sees "completed" pays no more


def test_being_told_that_it_is_paid_ends_the_paying() -> None:
    """A platform that never hears of the payment says "created"; the channel says ORDERPAID, once."""
    storm = Sure({"user.drop": {"back_after_us": MINUTE}}, lambda key: key[1] == "pay" and key[-1] == "1")
    deaf = Town(storm=storm, bend=lambda r: Response(200) if r.action.startswith("callback") else None)
    deaf.live(*[(f"u{n}", "card") for n in range(12)])
    refused = [e for e in deaf.history.events if isinstance(e, Fail) and e.action == "pay"]
    assert {failure.result["code"] for failure in refused} == {"ORDERPAID"}
    assert len({failure.user for failure in refused}) == len(refused) > 0


def test_paying_twice_captures_two_charges_of_one_order() -> None:
    """A second code is asked for, at the other channel when there is one, and both are paid."""
    one = Town(storm=Sure({"user.pay_twice": {}})).live(("u1", "card"))
    assert _captures(one) == ["Ok0/c1", "Ok0/c2"]
    two = Town(storm=Sure({"user.pay_twice": {}}), channels=("wechat", "alipay")).live(("u1", "card"))
    assert two.args("new_charge") == [{"order_id": "Ok0", "channel": "alipay"}]
    assert [args["channel"] for args in two.args("pay")] == ["wechat", "alipay"]


def test_paying_late_waits_that_much_longer() -> None:
    """Late, but within the life of the code: captured. Later than that: refused, and nothing is owed."""
    town = Town(storm=Sure({"user.pay_late": {"delay_us": 10 * MINUTE}})).live(("u1", "card"))
    assert town.times("pay")[0] >= 10 * MINUTE
    assert len(_captures(town)) == 1
    too_late = Town(storm=Sure({"user.pay_late": {"delay_us": 20 * MINUTE}})).live(("u1", "card"))
    assert too_late.story("pay") == ["pay", "pay:fail"]
    assert too_late.story("view_order") == ["view_order", "view_order:ok"]


def test_pay_after_close_waits_for_the_close_and_pays_then() -> None:
    """The site is the channel's: the code outlives its expiry, and the payment comes after it."""
    storm = Sure({"channel.pay_after_close": {"delay_us": 3 * MINUTE}})
    town = Town(storm=storm).live(("u1", "card"))
    assert town.times("pay") == [15 * MINUTE + 30 * SECOND + 3 * MINUTE + 10_000]
    assert _captures(town) == ["Ok0/c1"]
    assert storm.sites == [("channel.pay_after_close", "wechat", ("Ok0/c1",))]


def test_a_refund_is_asked_for_after_a_while_and_again_if_nobody_answers() -> None:
    """5xx is tried again; an answer, good or bad, ends it."""
    answers = iter([Response(503), Response(409), Response(200)])
    town = Town(
        storm=Sure({"user.request_refund": {"after_us": 2 * SECOND}}),
        bend=lambda r: next(answers) if r.action == "request_refund" else None,
    ).live(("u1", "card"))
    assert town.story("request_refund") == [
        "request_refund",
        "request_refund:unknown",
        "request_refund",
        "request_refund:fail",
    ]
    assert town.times("request_refund")[0] == town.times("pay")[0] + 2 * SECOND


def test_a_static_code_is_paid_without_an_order() -> None:
    """The charge number begins with Q and names the member; the amount is the price of the wish."""
    town = Town(storm=Sure({"user.static_code": {}})).live(("u7", "phone"))
    assert town.story() == ["pay", "pay:ok"]
    assert town.args("pay") == [
        {"charge_no": "Q-u7-0", "order_id": "", "channel": "wechat", "amount_fen": 1000}
    ]


def test_a_static_code_in_a_shop_without_channels_is_a_mistake_of_the_harness() -> None:
    """Scenario files are checked for it; who builds a scenario in a program is told what is wrong."""
    town = Town(storm=Sure({"user.static_code": {}}), channels=())
    with pytest.raises(HarnessError, match="takes no payment channel"):
        town.live(("u7", "phone"))


def test_credit_is_spent_on_a_card_when_the_wallet_shows_a_balance() -> None:
    """The dearest card that the balance pays for, by a key of its own, paid with the wallet."""

    def stuck(request: Request) -> Response | None:
        return Response(200) if request.action.startswith("callback") else None

    town = Town(storm=Sure({"user.spend_credit": {"after_us": MINUTE}}), bend=stuck)
    town.wallet["balance_fen"] = 1000
    town.live(("u1", "phone"), until_us=14 * MINUTE)
    spent = town.args("place_order")[1]
    assert (spent["sku"], spent["pay_with"], spent["quantity"]) == ("gold", "wallet", 1)
    assert spent["client_key"].startswith("k0-credit")
    poor = Town(storm=Sure({"user.spend_credit": {"after_us": MINUTE}}), bend=stuck)
    poor.wallet["balance_fen"] = 499
    assert len(poor.live(("u1", "phone")).args("place_order")) == 1


def test_the_order_paid_by_credit_has_sites_of_its_own() -> None:
    """A drop planned for the first order does not strike the second as well."""
    faults = {"user.spend_credit": {"after_us": MINUTE}, "user.drop": {"back_after_us": SECOND}}
    storm = Sure(faults, lambda key: len(key) == 2 or key == ("k0", "place_order", "1"))
    town = Town(storm=storm, bend=lambda r: Response(200) if r.action.startswith("callback") else None)
    town.wallet["balance_fen"] = 1000
    town.live(("u1", "phone"), until_us=14 * MINUTE)
    keys = [args["client_key"] for args in town.args("place_order")]
    assert keys[:2] == ["k0", "k0"]
    assert len(keys) == len(set(keys)) + 1 > 2


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fault_for_one_member_changes_nothing_for_another(seed: int) -> None:
    """Draws are keyed, so u2's day is the same to the microsecond whether or not u1 drops."""

    def day_of_u2(town: Town) -> list[tuple[int, str]]:
        return [(e.t_us, type(e).__name__) for e in town.history.events if getattr(e, "user", "") == "u2"]

    storm = Sure({"user.drop": {"back_after_us": SECOND}}, lambda key: key[0] == "k0")
    calm = Town(seed=seed).live(("u1", "card"), ("u2", "card"))
    stormy = Town(seed=seed, storm=storm).live(("u1", "card"), ("u2", "card"))
    assert day_of_u2(calm) == day_of_u2(stormy)
    assert storm.sites != []
