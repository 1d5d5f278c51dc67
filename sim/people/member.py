"""A member buys something: one order's life as its buyer lives it.

Order, think, pay, look again and again until it is settled or patience ends. People submit again
when nothing answers, with the same client key. What else they do (drop, click twice, pay late, pay
twice, leave) is asked of the storm at sites `(client_key, …)` with the user's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reference_platform.ports import MINUTE, SECOND, Response
from sim.kernel import Future, Kernel, sleep
from sim.people.phone import Phone
from sim.randomness import Streams
from sim.storm import CALM, Storm
from sim.traffic import Arrival

SUBMITS_MAX: Final = 4
PAYMENTS_MAX: Final = 4
AGAIN_US: Final = (2 * SECOND, 8 * SECOND)
THINK_US: Final = (3 * SECOND, 30 * SECOND)
SECOND_CHARGE_US: Final = (SECOND, 4 * SECOND)
PATIENCE_US: Final = (30 * MINUTE, 90 * MINUTE)
LOOKS_US: Final = (
    SECOND,
    3 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
)
WORRY_US: Final = 5 * MINUTE
_USER_FAULTS: Final = (
    "drop",
    "double_submit",
    "abandon",
    "wrong_account",
    "pay_twice",
    "pay_late",
    "request_refund",
    "static_code",
    "spend_credit",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What people know of the shop: kind and price of each sku."""

    kinds: Mapping[str, str]
    prices_fen: Mapping[str, int]


class Members:
    """Everybody who buys. `start` lets them arrive."""

    def __init__(
        self, kernel: Kernel, phone: Phone, streams: Streams, shop: Shop, storm: Storm = CALM
    ) -> None:
        self.kernel = kernel
        self.phone = phone
        self.shop = shop
        self.storm = storm
        self.stormy = any(storm.has(f"user.{fault}") for fault in _USER_FAULTS)
        self.lingering = storm.has("channel.pay_after_close")
        self.uniform = streams.uniform
        self._arrivals: Iterator[Arrival] = iter(())

    def start(self, arrivals: Iterator[Arrival]) -> None:
        """Let people arrive, each at their time; only the next one is ever in the queue."""
        self._arrivals = arrivals
        self._await_next()

    def _await_next(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self.kernel.call_at(arrival.at_us, self._arrive, arrival)

    def _arrive(self, arrival: Arrival) -> None:
        self.kernel.spawn(Member(self, arrival).buy(), arrival.user)
        self._await_next()


class Member:
    """One person with one wish."""

    __slots__ = (
        "_among",
        "_asked",
        "_kernel",
        "_key",
        "_order_id",
        "_phone",
        "_refund_asked",
        "_user",
        "_wish",
    )

    def __init__(self, among: Members, wish: Arrival) -> None:
        self._among = among
        self._kernel = among.kernel
        self._phone = among.phone
        self._wish = wish
        self._user = wish.user
        self._key = f"k{wish.number}"
        self._asked = 0
        self._order_id = ""
        self._refund_asked = False

    # ------------------------------------------------------------ the story

    async def buy(self) -> None:
        """From the first click to the last look."""
        wish, stormy = self._wish, self._among.stormy
        if stormy and self._strikes("static_code") is not None:
            self._pay_static()
            return
        account = ""
        if self._among.shop.kinds[wish.sku] == "topup":
            wrong = stormy and self._strikes("wrong_account") is not None
            account = f"wrong-{wish.user}" if wrong else f"acct-{wish.user}"
        order = await self._place(self._key, wish.sku, wish.quantity, wish.pay_with, account)
        if order is None:
            return
        self._order_id = order["order_id"]
        if order["charge_no"]:
            if stormy and self._strikes("abandon") is not None:
                return
            if not await self._think_and_pay(order):
                await self._view()
                return
            if stormy and (change := self._strikes("request_refund")) is not None:
                self._kernel.spawn(self._ask_refund(change["after_us"]), f"{self._user} wants it back")
        await self._watch(self._kernel.now)

    async def _place(
        self, client_key: str, sku: str, quantity: int, pay_with: str, account: str
    ) -> Mapping[str, Any] | None:
        """Submit until the platform gives an answer, good or bad. None: no order, or nobody knows."""
        args = {
            "client_key": client_key,
            "sku": sku,
            "quantity": quantity,
            "pay_with": pay_with,
            "account": account,
        }
        for n in range(1, SUBMITS_MAX + 1):
            if self._among.stormy:
                if n == 1:
                    self._click_again(args)
                dropped = self._among.storm.at("user.drop", self._user, (client_key, "place_order", str(n)))
                if dropped is not None:
                    self._phone.ask_and_drop(
                        self._user, "place_order", args, self._request_key("place_order")
                    )
                    await sleep(dropped["back_after_us"])
                    continue
            answer = await self._ask("place_order", args)
            if answer.status < 300:
                return answer.body
            if answer.status < 500:
                return None
            # Longer each time: a key whose holder died is free again only after its lease.
            await sleep(n * self._between_us(AGAIN_US, "people.again", client_key, str(n)))
        return None

    def _click_again(self, args: Mapping[str, Any]) -> None:
        doubled = self._among.storm.at("user.double_submit", self._user, (args["client_key"],))
        if doubled is not None:
            for click in range(1, doubled["times"] + 1):
                at_us = self._kernel.now + click * doubled["spacing_us"]
                self._kernel.call_at(at_us, self._click, args)

    def _click(self, args: Mapping[str, Any]) -> None:
        self._kernel.spawn(self._ask("place_order", args), f"{self._user} clicks again")

    async def _think_and_pay(self, order: Mapping[str, Any]) -> bool:
        """True when the member has, or may have, paid."""
        among, key = self._among, self._key
        think_us = self._between_us(THINK_US, "people.think", key)
        second: Mapping[str, Any] | None = None
        if among.stormy:
            if (late := self._strikes("pay_late")) is not None:
                think_us += late["delay_us"]
            if self._strikes("pay_twice") is not None:
                await sleep(think_us)
                think_us = 0
                second = await self._new_charge(order)
        await sleep(think_us)
        if among.lingering:
            await self._wait_for_close(order)
        paid = await self._pay(order)
        if second is not None:
            await sleep(self._between_us(SECOND_CHARGE_US, "people.second", key))
            paid = await self._pay(second) or paid
        return paid

    async def _new_charge(self, order: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Ask for another code, at another channel if there is one; the first code stays on the screen."""
        first = order["channel"]
        others = [name for name in self._phone.channels if name != first]
        answer = await self._ask(
            "new_charge", {"order_id": self._order_id, "channel": (others or [first])[0]}
        )
        return answer.body if answer.status < 300 else None

    async def _wait_for_close(self, order: Mapping[str, Any]) -> None:
        channel, charge_no = order["channel"], order["charge_no"]
        late = self._among.storm.at("channel.pay_after_close", channel, (charge_no,))
        if late is not None:
            closed = Future(self._kernel)
            self._phone.channels[channel].linger(charge_no, closed.set)
            await closed
            await sleep(late["delay_us"])

    async def _pay(self, charge: Mapping[str, Any]) -> bool:
        charge_no = charge["charge_no"]
        args = {
            "charge_no": charge_no,
            "order_id": self._order_id,
            "channel": charge["channel"],
            "amount_fen": charge["payable_fen"],
        }
        paid = False
        for n in range(1, PAYMENTS_MAX + 1):
            dropped = self._strikes("drop", "pay", charge_no, str(n)) if self._among.stormy else None
            if dropped is not None:
                effect = self._among.uniform("people.drop", charge_no, n) < 0.5
                self._phone.pay_and_drop(self._user, args, effect=effect)
                paid = True  # as far as anybody knows
                await sleep(dropped["back_after_us"])
                if _settled(await self._view()):
                    return True
                continue
            code = self._phone.pay(self._user, args)
            if code in {"ok", "ORDERPAID"}:
                return True
            if code == "ORDER_CLOSED":
                return paid
            await sleep(self._between_us(AGAIN_US, "people.pay_again", charge_no, str(n)))
        return paid

    def _pay_static(self) -> None:
        wish = self._wish
        channel = wish.pay_with if wish.pay_with in self._phone.channels else next(iter(self._phone.channels))
        args = {
            "charge_no": f"Q-{wish.user}-{wish.number}",
            "order_id": "",
            "channel": channel,
            "amount_fen": self._among.shop.prices_fen[wish.sku] * wish.quantity,
        }
        self._phone.pay(wish.user, args)

    async def _watch(self, paid_us: int) -> None:
        """Look at the order until it is settled or patience ends."""
        give_up_us, looks = 0, 0
        while True:
            wait_us = LOOKS_US[looks] if looks < len(LOOKS_US) else LOOKS_US[-1]
            wait_us = int(wait_us * (0.8 + 0.4 * self._among.uniform("people.look", self._key, looks)))
            looks += 1
            if looks == 4:  # most are content long before their patience matters
                give_up_us = paid_us + self._between_us(PATIENCE_US, "people.patience", self._key)
            if looks >= 4 and self._kernel.now + wait_us > give_up_us:
                return
            await sleep(wait_us)
            answer = await self._view()
            # "Closed" settles nothing for somebody who has paid.
            if answer.status < 300 and answer.body["status"] in ("completed", "refunded"):
                if self._among.shop.kinds[self._wish.sku] == "membership":
                    await self._ask("view_membership", {})
                return
            if self._kernel.now - paid_us > WORRY_US:
                await self._look_for_credit(looks)

    async def _look_for_credit(self, looks: int) -> None:
        """The goods are late: has anything been credited instead? And can it be spent?"""
        answer = await self._ask("view_wallet", {})
        if not self._among.stormy or answer.status >= 300 or answer.body["balance_fen"] <= 0:
            return
        spend = self._strikes("spend_credit", str(looks))
        if spend is None:
            return
        await sleep(spend["after_us"])
        shop, balance_fen = self._among.shop, answer.body["balance_fen"]
        affordable = [
            sku for sku, kind in shop.kinds.items() if kind == "card" and shop.prices_fen[sku] <= balance_fen
        ]
        if affordable:
            dearest = max(affordable, key=lambda sku: shop.prices_fen[sku])
            await self._place(f"{self._key}-credit{looks}", dearest, 1, "wallet", "")

    async def _ask_refund(self, after_us: int) -> None:
        await sleep(after_us)
        for n in range(1, SUBMITS_MAX + 1):
            answer = await self._ask("request_refund", {"order_id": self._order_id})
            if answer.status < 500:
                return
            await sleep(self._between_us(AGAIN_US, "people.refund_again", self._key, str(n)))

    # ------------------------------------------------------------ small talk

    async def _view(self) -> Response:
        return await self._ask("view_order", {"order_id": self._order_id})

    async def _ask(self, action: str, args: Mapping[str, Any]) -> Response:
        return await self._phone.ask(self._user, action, args, self._request_key(action))

    def _request_key(self, action: str) -> tuple[str, str, int]:
        self._asked += 1
        return (action, self._key, self._asked)

    def _between_us(self, span_us: tuple[int, int], stream: str, *key: str) -> int:
        low_us, high_us = span_us
        return low_us + int((high_us - low_us) * self._among.uniform(stream, *key))

    def _strikes(self, fault: str, *key: str) -> Mapping[str, Any] | None:
        return self._among.storm.at(f"user.{fault}", self._user, (self._key, *key))


def _settled(answer: Response) -> bool:
    return answer.status < 300 and answer.body["status"] in ("completed", "refunded", "closed")
