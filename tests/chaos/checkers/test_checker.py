"""What all checkers count alike: cases, and the money at risk."""

from __future__ import annotations

from tests.chaos.histories import Story


def sold_for_nothing(cards: int) -> Story:
    """One capture, and so many cards too many, one transaction each."""
    story = Story().plain()
    for n in range(cards):
        story.card(f"extra{n}", "sold", "O1")
    return story


def test_a_violation_that_grows_is_told_each_time_and_its_money_is_counted_once() -> None:
    """I-02: three cards too many are 30 yuan, not 10 and 20 and 30."""
    verdict = sold_for_nothing(3).verdict("I-02")
    assert [witness.amount_fen for witness in verdict.witnesses] == [1000, 2000, 3000]
    assert (verdict.count, verdict.amount_fen) == (3, 3000)


def test_a_violation_that_stands_is_told_once() -> None:
    """I-05: every later change of the refund shows the same two numbers again."""
    story = Story().plain().refund("O1/c1", 100, "full", n=1).refund("O1/c1", 100, "full", n=2)
    story.refund_row("O1/r1", "O1/c1", 100, "full", "done").refund_row("O1/r2", "O1/c1", 100, "full", "done")
    verdict = story.verdict("I-05")
    assert (verdict.count, verdict.amount_fen) == (1, 100)


def test_goods_for_a_wrong_amount_are_told_once() -> None:
    """I-04: five pieces of one order are one wrong amount."""
    story = Story().place(quantity=5).capture(paid_fen=4999)
    for n in range(5):
        story.card(f"O1-card{n}", "sold", "O1")
    verdict = story.verdict("I-04")
    assert (verdict.count, verdict.amount_fen) == (1, 1)


def test_a_supplier_delivery_that_breaks_an_invariant_is_told_once() -> None:
    """The delivery is a transaction by itself, and judged as one."""
    unpaid = Story().place(sku="topup").book("SUP", "delivered", "O1/s1", quantity=1)
    wrongly = Story().place(sku="topup").capture(paid_fen=2999).book("SUP", "delivered", "O1/s1", quantity=1)
    assert [(v.count, v.amount_fen) for v in (unpaid.verdict("I-02"), wrongly.verdict("I-04"))] == [
        (1, 3000),
        (1, 1),
    ]


def test_a_capture_that_was_counted_twice_is_told_once() -> None:
    """I-23: the delivery's posting shows it again and adds nothing."""
    verdict = Story().place().capture().apply().apply().sell().verdict("I-23")
    assert (verdict.count, verdict.amount_fen) == (1, 1000)


def test_a_charge_that_was_forged_is_told_once() -> None:
    """I-22: the money does not grow with the rows that follow, and is not forgotten with them."""
    story = Story().place().charge_row("O1/c1", status="paid", paid_fen=1000)
    story.posting("O1", "capture", ("channel:wechat", 1000), ("suspense", -1000)).sell()
    verdict = story.charge_row("O1/c1", status="paid", paid_fen=1000).verdict("I-22")
    assert [witness.words for witness in verdict.witnesses] == ["charge_paid", "booked"]
    assert verdict.amount_fen == 1000


def test_a_credit_that_was_paid_twice_is_told_once() -> None:
    """I-29: the ledger shows it again at each later posting."""
    story = Story().place().pay().credit()
    story.posting("O1", "credit", ("compensation_cost", 1000), ("wallet:u1", -1000))
    verdict = story.posting("O1", "refund", ("suspense", 1), ("channel:wechat", -1)).verdict("I-29")
    assert (verdict.count, verdict.amount_fen) == (1, 1000)


def test_each_compensation_too_many_is_money_of_its_own() -> None:
    """I-29: three for one incident are two too many."""
    verdict = Story().place().pay().credit().credit().credit().verdict("I-29")
    assert (verdict.count, verdict.amount_fen) == (2, 2000)


def test_each_success_too_many_of_a_supplier_is_money_of_its_own() -> None:
    """I-13: four deliveries of one order are three too many."""
    story = Story().place(sku="topup").pay()
    for n in range(4):
        story.book("SUP", "delivered", f"O1/s{n}", quantity=1)
    verdict = story.verdict("I-13")
    assert (verdict.count, verdict.amount_fen) == (3, 9000)


def test_money_of_different_orders_adds_up() -> None:
    """Each order's is at risk once."""
    verdict = Story().place("O1").place("O2").card("a", "sold", "O1").card("b", "sold", "O2").verdict("I-02")
    assert verdict.amount_fen == 2000


def test_looking_again_costs_the_member_nothing_more() -> None:
    """I-17: the goods are gone once, however often the member looks."""
    story = Story().plain().view(status="completed").view(status="paid").view(status="paid")
    verdict = story.verdict("I-17")
    assert (verdict.count, verdict.amount_fen) == (2, 1000)


def test_the_first_violation_is_the_one_that_happened_first() -> None:
    """Found at the end or as it went, what counts is when the promise broke."""
    story = Story().plain("O1").plain("O2").card("b", "sold", "O2").card("a", "sold", "O1")
    (first, second) = story.verdict("I-02").witnesses
    assert (first.id, second.id) == ("O2", "O1")
    assert story.verdict("I-02").first_us == first.t_us < second.t_us


def test_of_many_cases_all_are_counted_and_twenty_kept() -> None:
    """A report that listed them all would be unreadable."""
    story = Story()
    for n in range(25):
        story.place(f"O{n}").card(f"O{n}-card0", "sold", f"O{n}")
    verdict = story.verdict("I-02")
    assert (verdict.count, len(verdict.witnesses), verdict.amount_fen) == (25, 20, 25_000)
