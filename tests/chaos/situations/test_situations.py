"""Each situation on a history of a few lines: met by what it means, and not by its neighbour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import chaos
from chaos.history import SCHEMA, Header, History
from chaos.situations import NAMES, Situations

SECOND = 1_000_000
Write = Callable[["Story"], object]


class Story:
    """A tiny history; each call happens one second after the one before."""

    def __init__(self) -> None:
        self._now_us = 0
        self._tx = 0
        facts = {"products": {"netflix": {"loaded": 2}}}
        header = Header(SCHEMA, "0", "by_hand", "by_hand", 1, 60, 60, 60, {}, facts)
        self.history = History(header, lambda: self._now_us)

    def _tick(self) -> None:
        self._now_us += SECOND

    def wait(self, seconds: int) -> Story:
        """Let time pass."""
        self._now_us += seconds * SECOND
        return self

    def row(self, table: str, key: str, **row: Any) -> Story:
        """A committed row."""
        self._tick()
        self._tx += 1
        self.history.state(self._tx, "platform-1", "X", table, "update", key, row or None)
        return self

    def order(self, status: str, *, delivered: int = 0) -> Story:
        """The order O1 of two pieces."""
        return self.row("orders", "O1", status=status, delivered_qty=delivered, quantity=2)

    def posting(self, posting: str, account: str = "wallet:ann", order_id: str = "O1") -> Story:
        """A ledger entry."""
        return self.row(
            "postings", f"p{self._tx}", posting=posting, order_id=order_id, lines=((account, -5), ("x", 5))
        )

    def ch(self, entry: str, ref: str = "O1/c1", **data: Any) -> Story:
        """The channel's book."""
        self._tick()
        self.history.book("CH", entry, ref, data)
        return self

    def sent(self, notify: str = "n1", attempt: int = 1, event: str = "SUCCESS") -> Story:
        """A callback leaves the channel."""
        return self.ch("callback_sent", notify_id=notify, attempt=attempt, event=event)

    def acked(self, notify: str = "n1", attempt: int = 1, *, accepted: bool = True) -> Story:
        """The platform answers it."""
        return self.ch("callback_acked", notify_id=notify, attempt=attempt, accepted=accepted)

    def sup(self, entry: str, **data: Any) -> Story:
        """The supplier's book."""
        self._tick()
        self.history.book("SUP", entry, "O1/s1", data)
        return self

    def fault(self, name: str, phase: str, site: str = "0/x/*/window") -> Story:
        """A fault."""
        self._tick()
        self.history.fault(name, phase, site, {})
        return self

    def does(self, action: str, **args: Any) -> Story:
        """A user starts something."""
        self._tick()
        self.history.invoke("ann", action, args)
        return self

    def met(self) -> list[str]:
        """What the watch saw."""
        situations = Situations(self.history.header)
        situations.feed_all(self.history.events)
        return situations.met()


def card(story: Story, key: str, status: str = "sold") -> Story:
    """A card row of O1."""
    return story.row("cards", key, sku="netflix", status=status, order_id="O1")


def burst(story: Story, orders: int) -> Story:
    """One order in each of some stretches of ten seconds, then many at once."""
    for n in range(6):
        story.does("place_order", client_key=f"calm{n}").wait(9)
    for n in range(orders):
        story._now_us -= SECOND
        story.does("place_order", client_key=f"peak{n}")
    return story


def steady(story: Story, *, usual: int, most: int) -> Story:
    """The usual number of orders in each of five stretches of ten seconds, and in a sixth the most."""
    for stretch, orders in enumerate((usual,) * 5 + (most,)):
        for n in range(orders):
            story._now_us = stretch * 10 * SECOND
            story.does("place_order", client_key=f"{stretch}-{n}")
    return story


SENT = {"notify_id": "n1", "attempt": 1, "event": "SUCCESS"}
ACKED = {"notify_id": "n1", "attempt": 1, "accepted": True}
FORGED = "0/channel.callback_forged/wechat/O1/c1/1"
LOST = "0/supplier.result_unknown/acme/O1/s1/submit/1"

MET: list[tuple[str, Write]] = [
    ("callback_after_close", lambda s: s.order("closed").sent().acked()),
    ("callback_before_order", lambda s: s.sent().acked().order("created")),
    (
        "callback_duplicate_processed",
        lambda s: s.order("created").sent().acked().sent(attempt=2).acked(attempt=2),
    ),
    (
        "out_of_order_callbacks",
        lambda s: s.order("paid").sent().sent("n2", event="REFUND").acked("n2").acked(),
    ),
    ("crash_between_callback_and_commit", lambda s: s.order("created").sent().fault("node.crash", "start")),
    (
        "crash_between_callback_and_commit",
        lambda s: s.row("inbox", "wechat:n1", status="received").wait(60).fault("node.crash", "start"),
    ),
    (
        "forged_callback_refused",
        lambda s: s.order("created").fault("channel.callback_forged", "touch", FORGED),
    ),
    (
        "query_found_capture",
        lambda s: (
            s.order("created").ch("captured").ch("answered", call="query", result="SUCCESS").order("paid")
        ),
    ),
    (
        "query_found_capture",
        lambda s: (
            s.order("created").sent().wait(9).ch("answered", call="query", result="SUCCESS").order("paid")
        ),
    ),
    ("make_good_fired", lambda s: s.posting("credit")),
    ("make_good_voided", lambda s: s.posting("credit").posting("credit_void")),
    (
        "credit_spent_before_void",
        lambda s: s.posting("credit").posting("wallet_payment", order_id="O2").posting("credit_loss"),
    ),
    ("late_capture_fulfilled", lambda s: card(s.order("closed").ch("captured").order("paid_late"), "c1")),
    ("late_capture_refunded", lambda s: s.order("closed").ch("captured").ch("refund_accepted")),
    (
        "double_capture_refunded",
        lambda s: s.order("paid").ch("captured").ch("captured", "O1/c2").ch("refund_accepted"),
    ),
    ("orphan_capture_refunded", lambda s: s.ch("captured", "Q-ann-1").ch("refund_accepted", "Q-ann-1")),
    (
        "short_delivery_refunded",
        lambda s: s.order("completed", delivered=1).ch("captured").ch("refund_accepted"),
    ),
    (
        "false_success_repaired",
        lambda s: s.order("paid").ch("captured").sup("answered", status="success").ch("refund_accepted"),
    ),
    (
        "false_success_repaired",
        lambda s: s.order("paid").sup("answered", status="success").sup("delivered", quantity=1),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.row("attempts", "O1/s1", status="unknown").row("attempts", "O1/s1", status="success"),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.fault("supplier.result_unknown", "touch", LOST).sup("delivered", quantity=1),
    ),
    ("refund_races_delivery", lambda s: card(s.order("paid").does("request_refund", order_id="O1"), "c1")),
    ("refund_races_delivery", lambda s: card(s.order("paid"), "c1").does("request_refund", order_id="O1")),
    (
        "capture_during_partition",
        lambda s: s.order("created").fault("link.partition", "start").ch("captured"),
    ),
    ("failover_happened", lambda s: s.fault("database.failover", "start")),
    ("stock_ran_out", lambda s: card(card(s, "c1", "reserved"), "c2", "reserved")),
    ("order_expired", lambda s: s.order("closed")),
    (
        "retry_with_same_key",
        lambda s: s.does("place_order", client_key="k1").does("place_order", client_key="k1"),
    ),
    ("peak_reached", lambda s: burst(s, 10)),
    ("peak_reached", lambda s: steady(s, usual=2, most=10)),
    ("query_found_capture", lambda s: s.order("created").ch("answered", result="ORDERPAID").order("paid")),
    (
        "forged_callback_refused",
        lambda s: (
            s.order("created").fault("channel.callback_forged", "touch", FORGED).ch("captured").order("paid")
        ),
    ),
    ("false_success_repaired", lambda s: s.sup("callback_sent", status="success").ch("refund_accepted")),
    ("late_capture_fulfilled", lambda s: card(s.order("paid_late"), "c1")),
    (
        "late_capture_fulfilled",
        lambda s: s.order("closed").ch("captured").row("grants", "g", order_id="O1"),
    ),
    ("late_capture_fulfilled", lambda s: s.order("closed").ch("captured").sup("delivered", quantity=1)),
    ("refund_races_delivery", lambda s: card(s.does("request_refund", order_id="O1").wait(29), "c1")),
    ("refund_races_delivery", lambda s: card(s, "c1").wait(29).does("request_refund", order_id="O1")),
    (
        "credit_spent_before_void",
        lambda s: (
            s.posting("credit", "provisional:ann")
            .posting("wallet_payment", order_id="O2")
            .posting("credit_void")
        ),
    ),
    *(
        ("capture_during_partition", lambda s, cut=cut: s.fault(cut, "start").ch("captured"))
        for cut in ("link.down", "link.timeout")
    ),
    (
        "stock_ran_out",
        lambda s: card(card(card(card(s, "c1", "reserved"), "c1", "available"), "c2", "sold"), "c1", "void"),
    ),
]

NOT_MET: list[tuple[str, Write]] = [
    ("callback_after_close", lambda s: s.order("paid").sent().acked()),
    ("callback_after_close", lambda s: s.order("closed").sent(event="REFUND").acked()),
    ("callback_before_order", lambda s: s.order("created").sent().acked()),
    ("callback_duplicate_processed", lambda s: s.order("created").sent().acked(accepted=False).acked()),
    (
        "out_of_order_callbacks",
        lambda s: s.order("paid").sent().acked().sent("n2", event="REFUND").acked("n2"),
    ),
    (
        "crash_between_callback_and_commit",
        lambda s: s.order("created").sent().order("paid").fault("node.crash", "start"),
    ),
    (
        "crash_between_callback_and_commit",
        lambda s: s.order("created").sent().wait(6).fault("node.crash", "start"),
    ),
    (
        "forged_callback_refused",
        lambda s: s.order("created").fault("channel.callback_forged", "touch", FORGED).order("paid"),
    ),
    (
        "forged_callback_refused",
        lambda s: s.order("created").fault("channel.callback_forged", "start", "0/x/wechat/window"),
    ),
    (
        "query_found_capture",
        lambda s: (
            s.order("created").sent().acked().ch("answered", call="query", result="SUCCESS").order("paid")
        ),
    ),
    (
        "query_found_capture",
        lambda s: s.order("created").ch("answered", call="query", result="NOTPAY").order("paid"),
    ),
    ("make_good_fired", lambda s: s.posting("capture", "channel:wechat")),
    ("make_good_voided", lambda s: s.posting("credit").posting("credit_final")),
    ("credit_spent_before_void", lambda s: s.posting("credit").posting("credit_void")),
    ("late_capture_fulfilled", lambda s: card(s.order("created").ch("captured").order("paid"), "c1")),
    ("late_capture_refunded", lambda s: s.order("created").ch("captured").ch("refund_accepted")),
    ("double_capture_refunded", lambda s: s.order("paid").ch("captured").ch("refund_accepted")),
    ("orphan_capture_refunded", lambda s: s.order("paid").ch("captured").ch("refund_accepted")),
    (
        "short_delivery_refunded",
        lambda s: s.order("completed", delivered=2).ch("captured").ch("refund_accepted"),
    ),
    (
        "false_success_repaired",
        lambda s: s.sup("delivered", quantity=1).sup("answered", status="success").ch("refund_accepted"),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.row("attempts", "O1/s1", status="sending").sup("delivered"),
    ),
    (
        "refund_races_delivery",
        lambda s: card(s.order("paid").does("request_refund", order_id="O1").wait(60), "c1"),
    ),
    (
        "capture_during_partition",
        lambda s: s.fault("link.partition", "start").fault("link.partition", "end").ch("captured"),
    ),
    ("failover_happened", lambda s: s.fault("database.crash", "start")),
    ("stock_ran_out", lambda s: card(card(card(s, "c1", "reserved"), "c1", "available"), "c2", "reserved")),
    ("order_expired", lambda s: s.order("paid")),
    (
        "retry_with_same_key",
        lambda s: s.does("place_order", client_key="k1").does("place_order", client_key="k2"),
    ),
    ("peak_reached", lambda s: burst(s, 3)),
    ("peak_reached", lambda s: burst(s, 9)),
    ("peak_reached", lambda s: steady(s, usual=3, most=14)),
    ("peak_reached", lambda s: s.order("created")),
    (
        "callback_before_order",
        lambda s: s.ch("callback_sent", "Q-u1/c1", **SENT).ch("callback_acked", "Q-u1/c1", **ACKED),
    ),
    (
        "crash_between_callback_and_commit",
        lambda s: s.order("created").sent().acked().fault("node.crash", "start"),
    ),
    (
        "crash_between_callback_and_commit",
        lambda s: (
            s.row("inbox", "n", status="received")
            .row("inbox", "n", status="processed")
            .wait(9)
            .fault("node.crash", "start")
        ),
    ),
    (
        "crash_between_callback_and_commit",
        lambda s: s.row("inbox", "n", status="received").row("inbox", "n").fault("node.crash", "start"),
    ),
    ("crash_between_callback_and_commit", lambda s: s.order("created").sent().fault("node.crash", "end")),
    (
        "query_found_capture",
        lambda s: s.order("created").sent().ch("answered", result="SUCCESS").order("paid"),
    ),
    (
        "query_found_capture",
        lambda s: s.order("paid").ch("answered", result="SUCCESS").order("completed"),
    ),
    ("query_found_capture", lambda s: s.order("created").ch("answered", result="SUCCESS").order("closing")),
    (
        "query_found_capture",
        lambda s: s.order("created").ch("answered", result="SUCCESS").sent().acked().order("paid"),
    ),
    (
        "forged_callback_refused",
        lambda s: s.order("paid").ch("captured").fault("channel.callback_forged", "touch", FORGED),
    ),
    ("late_capture_fulfilled", lambda s: card(s.order("closed").ch("captured"), "c1", "reserved")),
    ("late_capture_fulfilled", lambda s: s.order("closed").ch("captured").row("cards", "c1")),
    ("late_capture_fulfilled", lambda s: s.order("closed").ch("captured").row("grants", "g")),
    ("refund_races_delivery", lambda s: card(s, "c1").wait(30).does("request_refund", order_id="O1")),
    ("refund_races_delivery", lambda s: card(s.does("request_refund", order_id="O1").wait(30), "c1")),
    ("refund_races_delivery", lambda s: card(s.order("paid"), "c1")),
    ("false_success_repaired", lambda s: s.sup("answered", status="fail").ch("refund_accepted")),
    (
        "supplier_unknown_then_success",
        lambda s: s.row("attempts", "O1/s1", status="sending").row("attempts", "O1/s1", status="success"),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.row("attempts", "O1/s1", status="unknown").row("attempts", "O1/s1", status="fail"),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.row("attempts", "O1/s1", status="unknown").row("attempts", "O1/s1"),
    ),
    (
        "supplier_unknown_then_success",
        lambda s: s.fault("supplier.result_unknown", "touch", LOST.replace("submit", "query")).sup(
            "delivered", quantity=1
        ),
    ),
    ("make_good_voided", lambda s: s.posting("credit").posting("credit_loss")),
    (
        "credit_spent_before_void",
        lambda s: s.posting("credit").posting("wallet_payment", "wallet:bob", "O2").posting("credit_void"),
    ),
    (
        "credit_spent_before_void",
        lambda s: s.posting("credit").posting("wallet_payment", order_id="O2").posting("credit_final"),
    ),
    (
        "credit_spent_before_void",
        lambda s: s.posting("wallet_payment", order_id="O2").posting("credit").posting("credit_void"),
    ),
    ("stock_ran_out", lambda s: s.row("cards", "c1", sku="other", status="sold", order_id="O1")),
    ("stock_ran_out", lambda s: card(card(s, "c1", "reserved"), "c1", "sold")),
    ("order_expired", lambda s: s.row("orders", "O1")),
]


@pytest.mark.parametrize(("name", "write"), MET, ids=[name for name, _ in MET])
def test_a_situation_is_met(name: str, write: Write) -> None:
    """What the name says happened."""
    story = Story()
    write(story)
    assert name in story.met()


@pytest.mark.parametrize(("name", "write"), NOT_MET, ids=[name for name, _ in NOT_MET])
def test_a_situation_is_not_met_by_its_neighbour(name: str, write: Write) -> None:
    """Something close to it happened."""
    story = Story()
    write(story)
    assert name not in story.met()


def test_every_situation_has_both_kinds_of_test_and_a_title_in_both_languages() -> None:
    """A name without a meaning could never be trusted."""
    texts = YAML(typ="safe", pure=True).load((Path(chaos.__path__[0]) / "situations.yaml").read_text("utf-8"))
    assert sorted(texts) == sorted(NAMES)
    assert {name for name, _ in MET} == set(NAMES)
    assert {name for name, _ in NOT_MET} == set(NAMES)
    for text in texts.values():
        assert text["title"]["en"]
        assert text["title"]["zh"]


def test_a_name_that_nobody_knows_is_an_error() -> None:
    """A misspelt name must not read as "not met"."""
    with pytest.raises(KeyError):
        Situations(Story().history.header).has("callback_after_lunch")


def test_the_first_time_counts() -> None:
    """`times` says when a situation was first met."""
    story = Story().posting("credit").posting("credit")
    situations = Situations(story.history.header)
    situations.feed_all(story.history.events)
    assert situations.times() == {"make_good_fired": SECOND}
    assert situations.has("make_good_fired")
    assert not situations.has("peak_reached")
