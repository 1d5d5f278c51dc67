"""A failure told in plain words: who, how much, what happened, what would have saved it."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from chaos import titles
from chaos.checkers.verdict import Verdict, Witness
from chaos.story import tell, worst
from chaos.words import load
from tests.chaos.oracle.lives import Life

TEXTS_OF_STORIES = Path(titles.__file__).with_name("story.yaml")

TEXTS: dict[str, Any] = {
    "I-03": {
        "title": {"en": "One order, one payment", "zh": "一单一付"},
        "saved_by": {"en": "a refund of every extra capture (K-03).", "zh": "退回多收的款项（K-03）。"},
        "witnesses": {
            "kept": {
                "loses": "member",
                "en": "{id} kept {kept:payment|payments}, {amount_fen} too much, since {since_us}",
                "zh": "订单 {id} 留下了 {kept} 笔扣款，多收 {amount_fen}，自 {since_us} 起",
            }
        },
    },
    "I-30": {
        "title": {"en": "Compensation is exact", "zh": "补偿不多不少"},
        "saved_by": {"en": "an engine that follows the policy.", "zh": "按规则执行的补偿引擎。"},
        "witnesses": {
            "missed": {
                "loses": "owed",
                "en": "{owed_fen} was due by {by_us} under {rule}",
                "zh": "{rule}应在 {by_us} 前补 {owed_fen}",
            },
            "undue": {
                "loses": "shop",
                "en": "{paid_fen} under {rule}, but {reason}",
                "zh": "{rule}：{paid_fen}，但{reason}",
            },
        },
    },
}


@pytest.fixture(autouse=True)
def _texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two invariants' words, so that these tests do not depend on the wording of the day."""
    monkeypatch.setattr(titles, "load", lambda file: TEXTS if file.parent.name == "checkers" else load(file))


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
    assert told.title == "Member ann lost ¥10.00 (broken: I-03 “One order, one payment”)"
    assert told.sentences == (
        "At 00:00, member ann ordered 1 × netflix for ¥10.00 (O1).",
        "Money was taken twice, ¥20.00 in all.",
        "What the storm brought: callback lost.",
        "In the end the order says “completed”: 1 of 1 delivered, ¥0.00 refunded.",
        "What went wrong: O1 kept 2 payments, ¥10.00 too much, since 05:00.",
        "What would have saved it: a refund of every extra capture (K-03).",
    )
    assert (told.money_fen, told.order_id, told.user, told.invariant) == (1000, "O1", "ann", "I-03")


def test_what_the_books_say_is_told_where_the_order_says_otherwise() -> None:
    """The order counts one piece; a second card left all the same, and is told until it is taken back."""
    otherwise = "The books of stock and suppliers say otherwise: 2 pieces were handed out."
    life = paid_twice()
    row = {"card_id": "c2", "order_id": "O1", "sku": "netflix", "status": "sold"}
    life.history.state(90, "db", "STK", "cards", "update", "c2", row)
    assert otherwise in tell(life.history, kept_twice(), "en").sentences
    back = {**row, "order_id": "", "status": "free"}
    life.history.state(91, "db", "STK", "cards", "update", "c2", back)
    assert not any("otherwise" in sentence for sentence in tell(life.history, kept_twice(), "en").sentences)


def test_membership_time_counts_by_the_piece_not_by_the_row() -> None:
    """Two months granted in one row are what was ordered; granted once more, they are two pieces too many."""
    life = Life()
    life.history.header.facts["products"]["netflix"]["days"] = 30
    life.order(quantity=2, kind="membership").captured(1, fen=2000)
    grant = {"user": "ann", "source": "O1", "order_id": "O1", "days": 60}
    life.at(2).history.state(90, "db", "ENT", "grants", "insert", "G1", grant)
    life.status(6, "completed", qty=2).at(1500)
    view = {"order_id": "O1", "status": "completed", "delivered_qty": 2, "cards": [], "refunded_fen": 0}
    life.history.read("order", "O1", view)
    assert not any("otherwise" in sentence for sentence in tell(life.history, kept_twice(), "en").sentences)
    life.history.state(91, "db", "ENT", "grants", "insert", "G2", grant)
    otherwise = "The books of stock and suppliers say otherwise: 4 pieces were handed out."
    assert otherwise in tell(life.history, kept_twice(), "en").sentences


def test_the_same_story_exists_in_chinese() -> None:
    """Same facts, other words."""
    told = tell(paid_twice().history, kept_twice(), "zh")
    assert told.title == "会员 ann 损失 ¥10.00（违反 I-03“一单一付”）"
    assert told.sentences[1] == "先后收款 2 次，共 ¥20.00。"
    assert told.timeline[0].text == "下单 1 件 netflix"


def test_a_timeline_has_four_to_eight_moments_in_order_and_never_drops_the_money() -> None:
    """Both captures, the goods and the last look are there; what repeats is told once."""
    timeline = tell(paid_twice().history, kept_twice(), "en").timeline
    assert 4 <= len(timeline) <= 8
    assert [moment.t_us for moment in timeline] == sorted(moment.t_us for moment in timeline)
    told = [(moment.lane, moment.text) for moment in timeline]
    assert told.count(("channel", "takes ¥10.00")) == 2
    assert any(lane == "stock" and text.startswith("hands out card") for lane, text in told)
    assert told[-1] == ("user", "sees “completed” in the end")


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
        "pays ¥10.00",
        "takes ¥10.00",
        "sends a callback (×3)",
        "gets its callback refused (HTTP 409) (×3)",
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
    assert told.sentences[1] == "The channel took ¥5.00 at 01:00."


def test_a_witness_that_lacks_data_is_told_with_a_dash() -> None:
    """An old history must not stop a report."""
    witness = Witness("order", "O1", "kept", {}, 1000, ("ann",))
    told = tell(paid_twice().history, kept_twice(witnesses=(witness,)), "en")
    assert told.sentences[-2] == "What went wrong: O1 kept –, ¥10.00 too much, since –."


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
    assert (
        told.sentences[-2]
        == "What went wrong: ¥10.00 under K-01 “Make-good after five minutes”, but it came before it was due."
    )
    assert any(moment.text == "credits ¥10.00 to the wallet" for moment in told.timeline)


def test_faults_in_force_are_part_of_the_story() -> None:
    """A window that overlaps the order's life."""
    life = Life().fault(0, "start", "database.crash").order(0.5).captured(1).fault(2, "end", "database.crash")
    life.fault(60, "start", "link.partition", "users->edge")
    (finding,) = life.audit().wrong()
    told = tell(life.history, finding, "en")
    assert "What the storm brought: database crash." in told.sentences


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
    found = [entry for group in load(TEXTS_OF_STORIES).values() for entry in group.values()]
    assert len(found) > 40
    for entry in found:
        english, chinese = (
            {name for _, name, _, _ in Formatter().parse(entry[lang]) if name} for lang in ("en", "zh")
        )
        assert english == chinese
        assert set(entry) == {"en", "zh"}


def test_a_title_says_who_is_out_of_the_money_and_only_what_is_so() -> None:
    """A loss of the shop is no loss of a member; money that may come back is at risk."""
    history = paid_twice().history

    def title(invariant: str, words: str, amount_fen: int = 1000, users: tuple[str, ...] = ("ann",)) -> str:
        data = {"rule": "K-01", "kept": 2, "reason": "no_trigger"}
        witness = Witness("order", "O1", words, data, amount_fen, users)
        return tell(history, Verdict(invariant, "violated", 1, 1, (witness,)), "en").title

    assert title("I-30", "missed").startswith("Member ann never got the ¥10.00 that was due")
    assert title("I-30", "undue").startswith("The shop lost ¥10.00 on an order of member ann")
    assert title("I-03", "unheard_of").startswith("¥10.00 is at risk for member ann or the shop")
    assert title("I-03", "kept", 0) == "Broken: I-03 “One order, one payment”"
    assert title("I-03", "kept", 1000, ("ann", "bob")).startswith("Members ann, bob lost ¥10.00")


def test_a_loss_is_told_before_a_risk_however_large() -> None:
    """A member who lost ten yuan is worse than a hundred that may come back."""
    risk = Witness("order", "O1", "unheard_of", {}, 10_000, ("ann",))
    loss = Witness("order", "O1", "kept", {"kept": 2}, 1000, ("ann",))
    verdicts = [
        Verdict("I-30", "violated", 1, 1, (risk,), 10_000),
        Verdict("I-03", "violated", 1, 2, (risk, loss), 1000),
    ]
    assert worst(verdicts) is verdicts[1]
    assert tell(paid_twice().history, verdicts[1], "en").money_fen == 1000


def test_a_witness_of_a_rule_may_have_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """K-16 owes a ticket, not money: to say that nothing was paid would be false."""
    monkeypatch.setattr(titles, "load", load)
    data = {"rule": "K-16", "owed_fen": 1000, "by_us": 1_800_000_000}
    witness = Witness("order", "O1", "missed", data, 1000, ("ann",))
    told = titles.Titles("en").witness("I-30", witness)
    assert told.startswith("¥10.00 of O1 lay in suspense, and by 30:00 nobody had been told (K-16 “")
    assert not titles.Titles("en").loser("I-30", witness)


def test_a_witness_may_have_a_remedy_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds lost money is no help against goods given away."""
    monkeypatch.setattr(titles, "load", load)
    told = titles.Titles("en")
    owed, overpaid = (told.saved_by("I-01", Witness("order", "O1", words)) for words in ("owed", "overpaid"))
    assert owed.startswith("Durable jobs")
    assert overpaid.startswith("An idempotent inbox")
