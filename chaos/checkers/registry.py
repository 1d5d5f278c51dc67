"""Every checker, by invariant. A new one is a file beside this and a line here."""

from __future__ import annotations

from chaos.checkers.checker import Checker
from chaos.checkers.i01_money_accounted import MoneyAccounted
from chaos.checkers.i02_goods_paid_for import GoodsPaidFor
from chaos.checkers.i03_one_capture_kept import OneCaptureKept
from chaos.checkers.i04_amount_matches import AmountMatches
from chaos.checkers.i05_refunds_within_captures import RefundsWithinCaptures
from chaos.checkers.i06_refund_or_goods import RefundOrGoods
from chaos.checkers.i07_ledger_balances import LedgerBalances
from chaos.checkers.i08_wallet_is_its_entries import WalletIsItsEntries
from chaos.checkers.i09_card_sold_once import CardSoldOnce
from chaos.checkers.i10_stock_adds_up import StockAddsUp
from chaos.checkers.i11_quantity_adds_up import QuantityAddsUp
from chaos.checkers.i12_reservation_ends_once import ReservationEndsOnce
from chaos.checkers.i13_one_supplier_success import OneSupplierSuccess
from chaos.checkers.i14_unknown_is_waited_for import UnknownIsWaitedFor
from chaos.checkers.i17_monotonic_reads import MonotonicReads
from chaos.checkers.i18_legal_transitions import LegalTransitions
from chaos.checkers.i19_nothing_outlives_deadline import NothingOutlivesDeadline
from chaos.checkers.i20_closed_only_when_unpaid import ClosedOnlyWhenUnpaid
from chaos.checkers.i21_late_capture_settled import LateCaptureSettled
from chaos.checkers.i22_forged_has_no_effect import ForgedHasNoEffect
from chaos.checkers.i23_callback_counts_once import CallbackCountsOnce
from chaos.checkers.i24_ack_is_durable import AckIsDurable
from chaos.checkers.i25_order_of_callbacks import OrderOfCallbacks
from chaos.checkers.i26_one_key_one_order import OneKeyOneOrder
from chaos.checkers.i29_compensated_once import CompensatedOnce
from chaos.checkers.i30_compensation_exact import CompensationExact
from chaos.checkers.i31_make_good_voided import MakeGoodVoided

CHECKERS: tuple[type[Checker], ...] = (
    MoneyAccounted,
    GoodsPaidFor,
    OneCaptureKept,
    AmountMatches,
    RefundsWithinCaptures,
    RefundOrGoods,
    LedgerBalances,
    WalletIsItsEntries,
    CardSoldOnce,
    StockAddsUp,
    QuantityAddsUp,
    ReservationEndsOnce,
    OneSupplierSuccess,
    UnknownIsWaitedFor,
    MonotonicReads,
    LegalTransitions,
    NothingOutlivesDeadline,
    ClosedOnlyWhenUnpaid,
    LateCaptureSettled,
    ForgedHasNoEffect,
    CallbackCountsOnce,
    AckIsDurable,
    OrderOfCallbacks,
    OneKeyOneOrder,
    CompensatedOnce,
    CompensationExact,
    MakeGoodVoided,
)
