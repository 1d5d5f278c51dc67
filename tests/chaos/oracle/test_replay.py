"""What the oracle reads out of a history: whose money, whose goods, and since when."""

from __future__ import annotations

import pytest

from tests.chaos.oracle.lives import Life


def paid(**more: object) -> Life:
    """An order captured in minute 1."""
    return Life().order(0, **more).captured(1).status(1.1, "paid")  # type: ignore[arg-type]


# ---------------------------------------------------------------- goods


def test_a_membership_is_delivered_by_the_grant_of_its_order() -> None:
    """No card and no supplier: the entitlement is the goods."""
    assert paid(kind="membership").granted(2).status(2, "completed", qty=1).verdicts() == []
    assert paid(kind="membership").status(2, "completed", qty=1).verdicts("K-01") == ["missed"]


def test_a_grant_for_something_else_is_not_the_delivery() -> None:
    """Days given as a compensation do not stand for what was bought."""
    assert paid(kind="membership").granted(2, source="K-02:O1").verdicts("K-01") == ["missed"]


def test_a_grant_that_a_failover_took_back_was_never_given() -> None:
    """Granted in minute 2, lost in minute 3, given again too late."""
    life = paid(kind="membership").granted(2).granted(3, op="revert")
    assert life.verdicts("K-01") == ["missed"]
    assert paid(kind="membership").granted(2).granted(3, op="revert").granted(4).verdicts("K-01") == []


def test_a_grant_that_is_changed_is_still_one_delivery() -> None:
    """A row written anew replaces itself."""
    life = paid(kind="membership", quantity=1).granted(2).granted(3, op="update")
    assert life.status(3, "completed", qty=1).verdicts() == []


def test_a_top_up_of_another_account_reached_nobody() -> None:
    """The supplier delivered, but not to the member; it did not lie either, so K-13 is silent."""
    life = paid(kind="topup").supplied(2, account="13900000000").said(2.1, "success")
    life.status(2.2, "completed", qty=1)
    assert (life.verdicts("K-01"), life.verdicts("K-13")) == (["missed"], [])


@pytest.mark.parametrize("entry", ["answered", "callback_sent"])
def test_a_supplier_lies_by_answer_or_by_callback(entry: str) -> None:
    """Success without a delivery in its own book."""
    life = paid(kind="topup").said(2, "success", entry=entry).status(2.1, "completed", qty=1)
    assert life.verdicts("K-13") == ["missed"]


def test_a_delivery_of_nothing_does_not_make_a_lie_true() -> None:
    """The supplier's book has an entry, of no units."""
    life = paid(kind="topup").supplied(1.5, 0).said(2, "success").status(2.1, "completed", qty=1)
    assert life.verdicts("K-13") == ["missed"]


@pytest.mark.parametrize("status", ["fail", "processing", "not_found"])
def test_whatever_else_a_supplier_says_is_no_lie(status: str) -> None:
    """Only "success" promises goods."""
    life = paid(kind="topup").said(2, status).status(2.1, "completed", qty=1)
    assert life.verdicts("K-13") == []


def test_a_lie_is_believed_as_soon_as_units_are_booked() -> None:
    """The status need not change for it."""
    life = paid(kind="topup").status(1.5, "fulfilling").said(2, "success").status(2.1, "fulfilling", qty=1)
    assert life.verdicts("K-13") == ["missed"]


def test_a_card_that_moved_on_to_another_order_left_the_first_one_empty() -> None:
    """Sold to O1, taken back, sold to O2, taken back again: neither has it."""
    life = paid().order(1.1, "O2").captured(1.2, "O2/c1")

    def card(minute: float, status: str, order_id: str) -> None:
        row = {"card_id": "x", "sku": "netflix", "status": status, "order_id": order_id}
        life.at(minute).history.state(90 + round(minute), "db", "STK", "cards", "update", "x", row)

    card(2, "sold", "O1")
    card(3, "available", "")
    card(4, "sold", "O2")
    card(5, "available", "")
    missed = [finding.order_id for finding in life.audit().wrong() if finding.rule == "K-01"]
    assert missed == ["O1", "O2"]


def test_a_card_whose_row_is_gone_is_nobodys() -> None:
    """A failover that forgets the row takes the goods back."""
    life = paid().delivered(2)
    key = life.history.events[-1].key  # type: ignore[union-attr]
    life.at(3).history.state(99, "db", "STK", "cards", "revert", key, None)
    assert life.verdicts("K-01") == ["missed"]


# ---------------------------------------------------------------- orders and attempts


def test_an_order_that_was_delivered_and_then_forgotten_is_looked_at() -> None:
    """It went its plain course until a failover lost it: now it is money without an order."""
    assert paid().completed(2).forgotten(10).verdicts("K-04") == ["missed"]


def test_the_member_is_who_ordered_not_who_paid() -> None:
    """Whichever of the two the history told of first."""
    later = Life().order(0, user="bob").captured(1)
    first = Life().captured(1).order(2, user="bob")
    assert {finding.user for life in (later, first) for finding in life.audit().findings} == {"bob"}


@pytest.mark.parametrize("status", ["sending", "unknown", "processing"])
def test_an_attempt_without_an_end_forbids_credit_that_can_be_spent(status: str) -> None:
    """Sent, unknown or under way: the goods may still come."""
    life = paid(kind="topup").attempt(1.2, status).posting(6.5, "credit")
    assert life.verdicts("K-01") == ["undue"]


def test_an_attempt_that_a_failover_forgot_is_not_waited_for() -> None:
    """The platform cannot know of it any more."""
    life = paid(kind="topup").attempt(1.2, "unknown")
    life.at(2).history.state(99, "db", "ORD", "attempts", "revert", "O1/s1", None)
    assert life.posting(6.5, "credit").verdicts("K-01") == ["exact"]


def test_the_refund_of_an_orphan_does_not_excuse_the_wait() -> None:
    """It is not the order's own money."""
    assert paid().wants_refund(4, "orphan:Q-ann-1/c1").verdicts("K-01") == ["missed"]


@pytest.mark.parametrize(
    ("order_id", "status", "verdicts"),
    [
        ("O1", "refunding", []), ("O1", "refunded", []), ("O1", "refused", ["missed"]), ("O7", "refunding", ["missed"]),
    ],
)  # fmt: skip
def test_only_a_refund_that_was_promised_to_the_member_ends_the_wait(
    order_id: str, status: str, verdicts: list[str]
) -> None:
    """A refusal does not, nor does a promise about an order that nobody knows."""
    life = paid().at(4)
    life.history.ok(1, "ann", "request_refund", {"order_id": order_id, "status": status})
    assert life.verdicts("K-01") == verdicts


# ---------------------------------------------------------------- compensations and tickets


def test_a_compensation_row_that_a_failover_took_back_promised_nothing() -> None:
    """People were not called for nothing after all."""
    assert paid().completed(2).promises(3, "K-16").verdicts("K-16") == ["undue"]
    assert paid().completed(2).promises(3, "K-16").promises(4, "K-16", op="revert").verdicts("K-16") == []


def test_only_the_row_that_was_lost_is_taken_back() -> None:
    """The other promise of the order stands."""
    life = paid().completed(2).promises(3, "K-16", cmp_id="a").promises(3.5, "K-16", cmp_id="b")
    (finding,) = life.promises(4, "K-16", cmp_id="a", op="revert").audit().findings
    assert (finding.verdict, finding.act_us) == ("undue", 3.5 * 60_000_000)


def paid_twice() -> Life:
    return paid().completed(2).captured(3, "O1/c2")


def test_a_compensation_row_may_learn_its_refund_later_and_keeps_it() -> None:
    """The row first, the number with an update; an update without one does not take it away."""
    life = (
        paid_twice()
        .promises(3.5, "K-03", cmp_id="m")
        .promises(4, "K-03", cmp_id="m", op="update", refund="O1/r1")
    )
    life.promises(4.5, "K-03", cmp_id="m", op="update").refunded(5, "O1/c2")
    (act,) = [act for act in life.audit().acts if act.rule == "K-03"]
    assert (act.named, act.decided_us, act.done_us) == (True, 3.5 * 60_000_000, 5 * 60_000_000)


def test_a_row_learns_nothing_from_another_rows_update() -> None:
    """Two promises of one order, each with a number of its own."""
    life = paid_twice().captured(3.1, "O1/c3")
    life.promises(3.5, "K-03", cmp_id="m", refund="O1/r1").promises(3.6, "K-03", cmp_id="n", refund="O1/r2")
    life.promises(4, "K-03", cmp_id="n", op="update", refund="O1/r2")
    life.refunded(5, "O1/c2", refund_no="O1/r1").refunded(6, "O1/c3", refund_no="O1/r2")
    acts = [(act.named, act.done_us / 60_000_000) for act in life.audit().acts if act.rule == "K-03"]
    assert acts == [(True, 5), (True, 6)]


def test_a_ticket_about_a_charge_without_an_order_is_found_by_its_charge() -> None:
    """The orphan's number is all there is."""
    life = Life().captured(1, "Q-ann-1/c1", 500).ticket(20, ref="Q-ann-1/c1").refunded(25, "Q-ann-1/c1", 500)
    assert life.verdicts("K-16") == []
    kept = Life().captured(1, "Q-ann-1/c1", 500).ticket(20, ref="Q-ann-1/c1")
    assert kept.verdicts("K-16") == ["exact"]


# ---------------------------------------------------------------- the wallet


def test_a_refund_to_the_wallet_gives_an_extra_payment_back() -> None:
    """Paid from the wallet and at the channel; the wallet has its money again."""
    twice = Life().order().posting(1, "wallet_payment").status(1, "paid").captured(1.5).completed(2)
    assert twice.verdicts("K-03") == ["missed"]
    twice = Life().order().posting(1, "wallet_payment").status(1, "paid").captured(1.5).completed(2)
    assert twice.posting(3, "wallet_refund").verdicts("K-03") == ["exact"]


def test_a_refund_to_the_wallet_belongs_to_the_compensation_of_its_own_moment() -> None:
    """It has no number; row and entry are of one transaction."""
    twice = Life().order().posting(1, "wallet_payment").status(1, "paid").captured(1.5).completed(2)
    twice.promises(3, "K-03").posting(3, "wallet_refund")
    assert [(act.named, act.incident) for act in twice.audit().acts if act.rule == "K-03"] == [
        (True, "O1/c1")
    ]


def test_a_lost_entry_that_nobody_ever_read_is_no_reason_to_stumble() -> None:
    """Captures and deliveries in the ledger are not the oracle's books."""
    life = paid().completed(2)
    life.at(3).history.state(99, "db", "GL", "postings", "revert", "p0", None)
    assert life.verdicts() == []


def test_a_refund_to_the_wallet_at_another_moment_is_not_that_compensations() -> None:
    """The row has a number of its own, at the channel."""
    twice = Life().order().posting(1, "wallet_payment").status(1, "paid").captured(1.5).completed(2)
    twice.promises(3, "K-03", refund="O1/r1").posting(4, "wallet_refund")
    assert [act.named for act in twice.audit().acts if act.rule == "K-03"] == [False]


def test_a_wallet_that_was_charged_twice_is_owed_one_of_the_two() -> None:
    """X-33: both payments have the same purse, and are two all the same."""

    def charged_twice() -> Life:
        return Life().order().posting(1, "wallet_payment").posting(1.1, "wallet_payment").completed(2)

    assert charged_twice().verdicts("K-03") == ["missed"]
    assert charged_twice().posting(3, "wallet_refund").verdicts("K-03") == ["exact"]
    named = charged_twice().promises(3, "K-03").posting(3, "wallet_refund")
    assert named.verdicts("K-03") == ["exact"]


def test_a_charge_that_was_captured_twice_is_owed_one_of_the_two() -> None:
    """The channel took the money twice on one number."""
    assert paid().captured(1.5).completed(2).verdicts("K-03") == ["missed"]
    assert paid().captured(1.5).completed(2).refunded(3).verdicts("K-03") == ["exact"]


def test_half_of_what_was_taken_twice_is_not_everything() -> None:
    """K-05: an order that was closed and then paid twice on one number, and refunded once."""
    life = Life().order().status(15, "closed").captured(16).captured(16.1).refunded(17)
    assert "exact" not in life.verdicts("K-05")


def test_a_refund_that_bounced_and_came_again_is_one_refund() -> None:
    """Accepted, failed, accepted again: one whole charge went back."""
    life = paid_twice().refunded(4, "O1/c2").bounced(5, "O1/c2").refunded(6, "O1/c2")
    assert life.verdicts("K-03") == ["exact"]
    named = paid_twice().promises(3.5, "K-03", refund="O1/r1")
    assert named.refunded(4, "O1/c2").bounced(5, "O1/c2").refunded(6, "O1/c2").verdicts("K-03") == ["exact"]


def test_halves_of_which_one_bounced_are_no_whole() -> None:
    """500 fen went back twice and came back once."""
    life = paid_twice().refunded(4, "O1/c2", 500).bounced(5, "O1/c2", 500).refunded(6, "O1/c2", 500)
    assert life.verdicts("K-03") == ["missed"]
