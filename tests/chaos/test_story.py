"""A failure told in plain words: who, how much, what happened, what would have saved it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import chaos
from chaos import story
from chaos.checkers.verdict import Verdict, Witness
from chaos.story import Story, clock, tell, worst, yuan
from tests.chaos.oracle.lives import Life

TEXTS: dict[str, Any] = {
    "I-03": {
        "title": {"en": "One order, one payment", "zh": "一单一付"},
        "saved_by": {"en": "a refund of every extra capture (K-03).", "zh": "退回多收的款项(K-03)。"},
        "witnesses": {
            "kept": {
                "en": "order {id} kept {kept} captures, {amount_fen} yuan too much, since {since_us}.",
                "zh": "订单 {id} 留下了 {kept} 笔扣款,多收 {amount_fen} 元,自 {since_us} 起。",
            }
        },
    },
    "I-30": {
        "title": {"en": "Compensation is exact", "zh": "补偿不多不少"},
        "saved_by": {"en": "an engine that follows the policy.", "zh": "按规则执行的补偿引擎。"},
        "witnesses": {
            "missed": {
                "en": "{rule}: {owed_fen} yuan were due by {by_us}.",
                "zh": "{rule}:应在 {by_us} 前补 {owed_fen} 元。",
            },
            "undue": {
                "en": "{rule}: {paid_fen} yuan, but {reason}.",
                "zh": "{rule}:{paid_fen} 元,但{reason}。",
            },
        },
    },
}


@pytest.fixture(autouse=True)
def _texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two invariants' words, so that these tests do not depend on the wording of the day."""
    load = story._load
    monkeypatch.setattr(story, "_load", lambda name: TEXTS if name == "checkers/texts.yaml" else load(name))


def paid_twice() -> Life:
    """Ann pays twice for one order and reads "completed" in the end."""
    life = Life()
    history = life.history
    op = history.invoke("ann", "place_order", {"client_key": "key-O1", "sku": "netflix", "quantity": 1})
    life.order(0.1)
    history.ok(op, "ann", "place_order", {"order_id": "O1"})
    life.at(1)
    history.invoke("ann", "pay", {"charge_no": "O1/c1", "order_id": "O1", "amount_fen": 1000})
    life.captured(1)
    data = {"channel": "wechat", "notify_id": "n1", "attempt": 1, "event": "SUCCESS", "paid_fen": 1000}
    for attempt in range(4):
        life.at(1.1 + attempt)
        history.book("CH", "callback_sent", "O1/c1", {**data, "attempt": attempt})
    history.fault("channel.callback_loss", "touch", "0/channel.callback_loss/wechat/O1/c1/n1/1", {})
    life.captured(5, "O1/c2").completed(6).at(1500)
    view = {"order_id": "O1", "status": "completed", "delivered_qty": 1, "cards": ["x"], "refunded_fen": 0}
    history.read("order", "O1", view)
    return life


def kept_twice(**changes: Any) -> Verdict:
    """I-03 violated by O1."""
    data = {"kept": 2, "since_us": 300_000_000}
    witness = Witness("order", "O1", "kept", data, 1000, ("ann",), (), 1_800_000_000)
    fields: dict[str, Any] = {"witnesses": (witness,), "amount_fen": 1000, **changes}
    return Verdict("I-03", "violated", 1, 1, **fields)


def test_a_story_names_member_order_goods_money_and_remedy() -> None:
    """Everything a reader asks first."""
    told = tell(paid_twice().history, kept_twice(), "en")
    assert told.title == "I-03 One order, one payment: 10.00 yuan of member ann at risk"
    assert told.sentences == (
        "At 00:00.000, member ann ordered 1 × netflix for 10.00 yuan (order O1).",
        "The channel took the money 2 times, 20.00 yuan in all.",
        "What the storm did to it: channel.callback_loss.",
        "In the end the order reads completed: 1 of 1 delivered, 0.00 yuan refunded.",
        "What went wrong: order O1 kept 2 captures, 10.00 yuan too much, since 05:00.000.",
        "What would have saved it: a refund of every extra capture (K-03).",
    )
    assert (told.money_fen, told.order_id, told.user, told.invariant) == (1000, "O1", "ann", "I-03")


def test_the_same_story_exists_in_chinese() -> None:
    """Same facts, other words."""
    told = tell(paid_twice().history, kept_twice(), "zh")
    assert told.title == "I-03 一单一付:会员 ann 的 10.00 元有风险"
    assert told.sentences[1] == "支付渠道收取了 2 次,共 20.00 元。"
    assert told.timeline[0].text == "下单 1 件 netflix"


def test_a_timeline_has_four_to_eight_moments_in_order_and_never_drops_the_money() -> None:
    """Both captures, the goods and the last look are there; what repeats is told once."""
    timeline = tell(paid_twice().history, kept_twice(), "en").timeline
    assert 4 <= len(timeline) <= 8
    assert [moment.t_us for moment in timeline] == sorted(moment.t_us for moment in timeline)
    told = [(moment.lane, moment.text) for moment in timeline]
    assert told.count(("channel", "takes 10.00 yuan")) == 2
    assert any(lane == "stock" and text.startswith("hands out card") for lane, text in told)
    assert told[-1] == ("user", "reads “completed” in the end")


def test_what_keeps_repeating_is_told_once_with_its_number_and_ties_keep_their_order() -> None:
    """A callback that is refused again and again, with other things in between."""
    life = Life().order().at(1)
    history = life.history
    history.invoke("ann", "pay", {"charge_no": "O1/c1", "order_id": "O1", "amount_fen": 1000})
    life.captured(1)
    sent = {"channel": "wechat", "notify_id": "n1", "event": "SUCCESS", "paid_fen": 1000}
    for attempt in range(3):
        life.at(2 + attempt)
        history.book("CH", "callback_sent", "O1/c1", {**sent, "attempt": attempt})
        history.book(
            "CH", "callback_acked", "O1/c1", {**sent, "attempt": attempt, "status": 409, "accepted": False}
        )
    (finding,) = life.audit().wrong()
    assert [moment.text for moment in tell(history, finding, "en").timeline] == [
        "pays 10.00 yuan",
        "takes 10.00 yuan",
        "sends a callback (×3)",
        "gets its callback refused (409) (×3)",
    ]


def test_an_event_the_checker_pointed_at_is_always_told() -> None:
    """Even one that would not have made it by weight."""
    life = paid_twice()
    index = next(
        n for n, event in enumerate(life.history.events) if getattr(event, "entry", "") == "callback_sent"
    )
    witness = Witness("order", "O1", "kept", {"kept": 2, "since_us": 0}, 1000, ("ann",), (index,), 0)
    timeline = tell(life.history, kept_twice(witnesses=(witness,)), "en").timeline
    assert "sends a callback (×4)" in [moment.text for moment in timeline]


def test_a_story_without_an_order_in_the_books_says_so() -> None:
    """Money on the shop's static code."""
    life = Life().captured(1, "Q-ann-1", 500)
    witness = Witness("order", "Q-ann-1", "missed", {"rule": "K-04", "owed_fen": 500, "by_us": 0}, 500)
    told = tell(life.history, Verdict("I-30", "violated", 1, 1, (witness,), 500), "en")
    assert told.sentences[0] == "The platform has no order Q-ann-1 in its books."
    assert told.sentences[1] == "The channel took 5.00 yuan at 01:00.000."


def test_a_witness_that_lacks_data_is_told_with_a_dash() -> None:
    """An old history must not stop a report."""
    witness = Witness("order", "O1", "kept", {}, 1000, ("ann",))
    told = tell(paid_twice().history, kept_twice(witnesses=(witness,)), "en")
    assert told.sentences[-2] == "What went wrong: order O1 kept – captures, 10.00 yuan too much, since –."


def test_a_story_about_something_else_than_an_order_names_it() -> None:
    """A wallet, a product, a card."""
    witness = Witness("wallet", "ann", "negative", {}, 0, ("ann",))
    told = tell(Life().history, Verdict("I-08", "violated", 1, 1, (witness,)), "en")
    assert told.sentences[0] == "It is about wallet ann."
    assert told.timeline == ()


def test_a_finding_of_the_audit_can_be_told() -> None:
    """The oracle's own judgement, reason included."""
    life = Life().order().captured(1).status(1.1, "paid").posting(5.5, "credit")
    (finding,) = life.audit().wrong()
    told = tell(life.history, finding, "en")
    assert told.sentences[-2] == "What went wrong: K-01: 10.00 yuan, but it came before it was due."
    assert any(moment.text == "credits 10.00 yuan to the wallet" for moment in told.timeline)


def test_faults_in_force_are_part_of_the_story() -> None:
    """A window that overlaps the order's life."""
    life = Life().fault(0, "start", "database.crash").order(0.5).captured(1).fault(2, "end", "database.crash")
    life.fault(60, "start", "link.partition", "users->edge")
    (finding,) = life.audit().wrong()
    told = tell(life.history, finding, "en")
    assert "What the storm did to it: database.crash." in told.sentences


def test_the_worst_is_the_dearest_then_the_one_with_most_members_then_the_gravest() -> None:
    """Money first."""
    dear = Verdict("I-30", "violated", 1, 1, (), 5000)
    cheap = Verdict("I-01", "violated", 1, 1, (), 10)
    crowd = Verdict("I-33", "violated", 1, 1, (Witness("order", "O1", "x", users=("ann", "bob")),), 5000)
    grave = Verdict("I-01", "violated", 1, 1, (), 5000)
    fine = Verdict("I-02", "holds", 1)
    assert worst([cheap, dear, fine]) is dear
    assert worst([dear, crowd, grave]) is crowd
    assert worst([dear, grave]) is grave
    with pytest.raises(ValueError, match="nothing to tell"):
        worst([fine])


def test_every_sentence_has_both_languages_and_the_same_placeholders() -> None:
    """A missing translation would only show in front of a reader."""
    texts = YAML(typ="safe", pure=True).load((Path(chaos.__path__[0]) / "story.yaml").read_text("utf-8"))

    def pairs(entry: Any) -> list[tuple[str, str]]:
        if set(entry) == {"en", "zh"}:
            return [(entry["en"], entry["zh"])]
        return [pair for part in entry.values() for pair in pairs(part)]

    def holes(text: str) -> list[str]:
        return sorted(part.partition("}")[0] for part in text.split("{")[1:])

    found = pairs(texts)
    assert len(found) > 40
    for english, chinese in found:
        assert holes(english) == holes(chinese)


def test_money_and_time_are_written_for_people() -> None:
    """Yuan with two decimals; minutes, seconds, milliseconds."""
    assert [yuan(fen) for fen in (0, 5, 1234, -250)] == ["0.00", "0.05", "12.34", "-2.50"]
    assert clock(4_982_500_000) == "83:02.500"
    assert isinstance(tell(paid_twice().history, kept_twice(), "en"), Story)
