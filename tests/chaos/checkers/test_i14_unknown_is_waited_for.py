"""I-14 on tiny histories."""

from __future__ import annotations

import pytest

from tests.chaos.histories import MINUTE, Story


def submitted(status: str = "unknown") -> Story:
    """A first attempt that the supplier received, and whose answer was lost."""
    story = Story().place(sku="topup").pay().attempt("O1/s1", "sending", "insert")
    story.book("SUP", "attempt_received", "O1/s1", sku="topup", account="a", quantity=1)
    return story.attempt("O1/s1", status)


def test_a_new_number_after_a_known_failure_holds() -> None:
    """The supplier said fail, the platform wrote fail."""
    story = submitted().book("SUP", "failed", "O1/s1")
    story.book("SUP", "answered", "O1/s1", call="query", status="fail", delivered=0).attempt("O1/s1", "fail")
    verdict = story.attempt("O1/s2", "sending", "insert").verdict("I-14")
    assert (verdict.outcome, verdict.checked) == ("holds", 2)


def test_fail_and_the_next_number_in_one_transaction_hold() -> None:
    """What a transaction changes is judged when it ends."""
    story = submitted().book("SUP", "answered", "O1/s1", call="query", status="fail", delivered=0)
    with story:
        story.attempt("O1/s2", "sending", "insert").attempt("O1/s1", "fail")
    assert story.verdict("I-14").outcome == "holds"


@pytest.mark.parametrize("status", ["sending", "unknown", "processing"])
def test_a_new_number_while_the_first_is_unknown_violates(status: str) -> None:
    """X-20: rerouted after a time-out."""
    (witness,) = submitted(status).attempt("O1/s2", "sending", "insert").verdict("I-14").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("new_number", "O1", 3000)
    assert (witness.data["attempt"], witness.data["new"]) == ("O1/s1", "O1/s2")


def test_calling_it_failed_does_not_make_it_known() -> None:
    """The supplier holds the attempt and has given no final word."""
    story = submitted("fail").book("SUP", "attempt_received", "O1/s2", sku="topup", account="a", quantity=1)
    assert story.verdict("I-14").outcome == "violated"


def test_not_found_inside_the_lag_window_is_no_failure() -> None:
    """X-21: "not found" means failed only after ten minutes."""
    early = submitted().book("SUP", "answered", "O1/s1", call="query", status="not_found", delivered=0)
    assert (
        early.attempt("O1/s1", "fail").attempt("O1/s2", "sending", "insert").verdict("I-14").outcome
        == "violated"
    )
    late = submitted().wait(10 * MINUTE).book("SUP", "answered", "O1/s1", call="query", status="not_found")
    assert (
        late.attempt("O1/s1", "fail").attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "holds"
    )


def test_a_callback_is_a_final_word() -> None:
    """The supplier's callback decides when the row agrees with it, not when it says the contrary."""
    story = (
        submitted().book("SUP", "callback_sent", "O1/s1", status="fail", attempt=1).attempt("O1/s1", "fail")
    )
    assert story.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "holds"
    story = (
        submitted()
        .book("SUP", "callback_sent", "O1/s1", status="success", attempt=1)
        .attempt("O1/s1", "fail")
    )
    assert story.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "violated"


def test_a_failure_is_taken_back_only_by_a_callback_that_was_heard() -> None:
    """A supplier that lied calls again what it said at first; on a cut line nobody can know of it."""

    def called_again() -> Story:
        story = submitted().book("SUP", "answered", "O1/s1", call="query", status="fail", delivered=0)
        return story.attempt("O1/s1", "fail").book(
            "SUP", "callback_sent", "O1/s1", status="success", attempt=5
        )

    assert called_again().attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "holds"
    heard = called_again().book("SUP", "callback_acked", "O1/s1", accepted=True)
    assert heard.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "violated"


def test_a_refund_while_unknown_violates() -> None:
    """Paid back what may still be delivered."""
    (witness,) = submitted().refund_row("O1/r1", "O1/c1", 3000, "full", "requested").verdict("I-14").witnesses
    assert (witness.words, witness.id, witness.amount_fen) == ("refund", "O1", 3000)


def test_refunding_an_extra_capture_while_unknown_holds() -> None:
    """It has nothing to do with the attempt."""
    story = submitted().refund_row("O1/r1", "O1/c2", 3000, "extra:O1/c2", "requested")
    assert story.verdict("I-14").outcome == "holds"


def test_provisional_credit_while_unknown_holds_and_making_it_final_does_not() -> None:
    """K-01 is allowed; credit_final is a refund."""
    story = submitted().credit(amount_fen=3000, account="provisional")
    assert story.verdict("I-14").outcome == "holds"
    assert story.settle_credit("credit_final", amount_fen=3000).verdict("I-14").outcome == "violated"


def test_an_attempt_the_supplier_never_got_is_decided_once_called_failed() -> None:
    """Refused before it arrived: certainly no effect."""
    story = Story().place(sku="topup").pay().attempt("O1/s1", "sending", "insert").attempt("O1/s1", "fail")
    assert story.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "holds"


def test_a_damaged_attempt_row_is_undecided() -> None:
    """Without its status nobody knows what the platform knew."""
    story = submitted().state("attempts", "O1/s1", {}).attempt("O1/s2", "sending", "insert")
    assert story.verdict("I-14").outcome == "unknown"


def test_calling_it_a_success_without_the_suppliers_word_does_not_make_it_known() -> None:
    """Neither fail nor success may be guessed."""
    assert submitted("success").attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "violated"


@pytest.mark.parametrize("status", ["sending", "unknown", "processing"])
def test_what_the_platform_itself_calls_open_is_open(status: str) -> None:
    """The supplier has said fail, but the platform has not heard it, so it must not act as if it had."""
    story = submitted(status).book("SUP", "answered", "O1/s1", call="query", status="fail", delivered=0)
    assert story.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "violated"


def test_a_success_that_both_sides_know_is_decided() -> None:
    """Another number may be wrong, but it is not a guess (I-13 judges it)."""
    story = submitted().book("SUP", "answered", "O1/s1", call="query", status="success", delivered=1)
    story.attempt("O1/s1", "success")
    assert story.attempt("O1/s2", "sending", "insert").verdict("I-14").outcome == "holds"


def test_refunding_an_orphan_while_unknown_holds() -> None:
    """It has nothing to do with the attempt either."""
    story = submitted().refund_row("O1/r1", "Q/c2", 3000, "orphan:Q/c2", "requested")
    assert story.verdict("I-14").outcome == "holds"


def test_numbers_and_refunds_are_counted() -> None:
    """The first number, the second, and a refund: three decisions."""
    story = submitted("fail").attempt("O1/s2", "sending", "insert")
    assert story.refund_row("O1/r1", "O1/c1", 1, "full", "requested").verdict("I-14").checked == 3


def test_a_refund_while_several_attempts_are_open_names_the_first() -> None:
    """One refund, one violation."""
    story = submitted().attempt("O1/s2", "sending", "insert")
    before = story.verdict("I-14").count
    verdict = story.refund_row("O1/r1", "O1/c1", 3000, "full", "requested").verdict("I-14")
    assert verdict.count == before + 1
    assert verdict.witnesses[-1].data["attempt"] == "O1/s1"


def test_two_numbers_of_one_transaction_are_judged_against_each_other() -> None:
    """The first was never waited for."""
    story = Story().place(sku="topup").pay()
    with story:
        story.attempt("O1/s1", "sending", "insert").attempt("O1/s2", "sending", "insert")
    (witness,) = story.verdict("I-14").witnesses
    assert (witness.data["attempt"], witness.data["new"]) == ("O1/s1", "O1/s2")


def test_a_third_number_is_judged_against_the_first_two() -> None:
    """The first is decided, the second is not."""
    story = submitted().book("SUP", "answered", "O1/s1", call="query", status="fail").attempt("O1/s1", "fail")
    story.attempt("O1/s2", "unknown", "insert").attempt("O1/s3", "sending", "insert")
    (witness,) = story.verdict("I-14").witnesses
    assert (witness.data["attempt"], witness.data["new"]) == ("O1/s2", "O1/s3")


def test_an_attempt_of_an_order_without_a_row_costs_what_was_paid() -> None:
    """Its price is not known."""
    story = Story().book("CH", "captured", "O9/c1", paid_fen=500, payer="u1")
    story.attempt("O9/s1", "unknown", "insert").attempt("O9/s2", "sending", "insert")
    assert story.verdict("I-14").witnesses[0].amount_fen == 500
