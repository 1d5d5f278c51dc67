"""A member buys something: one order's life as its buyer lives it.

Order, think, pay, look again and again until it is settled or patience ends. People submit again
when nothing answers, with the same client key. Everybody's arrival is in `Members`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reference_platform.ports import MINUTE, SECOND
from sim.kernel import Kernel, sleep
from sim.people.paying import pay_static, think_and_pay
from sim.people.person import Person, Shop, Surroundings
from sim.people.phone import Phone
from sim.randomness import Streams
from sim.storm import CALM, Storm
from sim.traffic import Arrival

SUBMITS_MAX: Final = 4
AGAIN_US: Final = (2 * SECOND, 8 * SECOND)
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


class Members:
    """Everybody who buys. `start` lets them arrive."""

    def __init__(
        self, kernel: Kernel, phone: Phone, streams: Streams, shop: Shop, storm: Storm = CALM
    ) -> None:
        self._kernel = kernel
        self._around = Surroundings(kernel, phone, streams, shop, storm)
        self._arrivals: Iterator[Arrival] = iter(())

    def start(self, arrivals: Iterator[Arrival]) -> None:
        """Let people arrive, each at their time; only the next one is ever in the queue."""
        self._arrivals = arrivals
        self._await_next()

    def _await_next(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is not None:
            self._kernel.call_at(arrival.at_us, self._arrive, arrival)

    def _arrive(self, arrival: Arrival) -> None:
        self._kernel.spawn(Member(Person(self._around, arrival)).buy(), arrival.user)
        self._await_next()


class Member:
    """One person, from the first click to the last look."""

    __slots__ = ("_kernel", "_order_id", "_person")

    def __init__(self, person: Person) -> None:
        self._person = person
        self._kernel = person.around.kernel
        self._order_id = ""

    async def buy(self) -> None:
        """The whole story."""
        person = self._person
        wish, stormy = person.wish, person.stormy
        if stormy and person.strikes("static_code") is not None:
            pay_static(person)
            return
        account = ""
        if person.around.shop.kinds[wish.sku] == "topup":
            wrong = stormy and person.strikes("wrong_account") is not None
            account = f"wrong-{wish.user}" if wrong else f"acct-{wish.user}"
        order = await self._place(person.key, wish.sku, wish.quantity, wish.pay_with, account)
        if order is None:
            return
        self._order_id = order["order_id"]
        if order["charge_no"]:
            if stormy and person.strikes("abandon") is not None:
                return
            if not await think_and_pay(person, order):
                await person.view(self._order_id)
                return
            if stormy and (change := person.strikes("request_refund")) is not None:
                self._kernel.spawn(self._ask_refund(change["after_us"]), f"{person.user} wants it back")
        await self._watch(self._kernel.now)

    # ------------------------------------------------------------ ordering

    async def _place(
        self, client_key: str, sku: str, quantity: int, pay_with: str, account: str
    ) -> Mapping[str, Any] | None:
        """Submit until the platform gives an answer, good or bad. None: no order, or nobody knows."""
        person = self._person
        args = {
            "client_key": client_key,
            "sku": sku,
            "quantity": quantity,
            "pay_with": pay_with,
            "account": account,
        }
        if person.stormy:
            self._click_again(args)
        for n in range(1, SUBMITS_MAX + 1):
            if person.stormy:
                # By the key of this order: one that is paid by credit has sites of its own.
                site = (client_key, "place_order", str(n))
                dropped = person.around.storm.at("user.drop", person.user, site)
                if dropped is not None:
                    key = person.request_key("place_order")
                    person.around.phone.ask_and_drop(person.user, "place_order", args, key)
                    await sleep(dropped["back_after_us"])
                    continue
            answer = await person.ask("place_order", args)
            if answer.status < 300:
                return answer.body
            if answer.status < 500:
                return None
            # Longer each time: a key whose holder died is free again only after its lease.
            await sleep(n * person.between_us(AGAIN_US, "people.again", client_key, str(n)))
        return None

    def _click_again(self, args: Mapping[str, Any]) -> None:
        person = self._person
        doubled = person.around.storm.at("user.double_submit", person.user, (args["client_key"],))
        if doubled is not None:
            for click in range(1, doubled["times"] + 1):
                self._kernel.call_at(self._kernel.now + click * doubled["spacing_us"], self._click, args)

    def _click(self, args: Mapping[str, Any]) -> None:
        self._kernel.spawn(self._person.ask("place_order", args), f"{self._person.user} clicks again")

    # ------------------------------------------------------------ waiting

    async def _watch(self, paid_us: int) -> None:
        """Look at the order until it is settled or patience ends."""
        person, kernel = self._person, self._kernel
        give_up_us, looks = 0, 0
        while True:
            wait_us = LOOKS_US[looks] if looks < len(LOOKS_US) else LOOKS_US[-1]
            wait_us = int(wait_us * (0.8 + 0.4 * person.around.uniform("people.look", person.key, looks)))
            looks += 1
            if looks == 4:  # most are content long before their patience matters
                give_up_us = paid_us + person.between_us(PATIENCE_US, "people.patience", person.key)
            if looks >= 4 and kernel.now + wait_us > give_up_us:
                return
            await sleep(wait_us)
            answer = await person.view(self._order_id)
            # "Closed" settles nothing for somebody who has paid.
            if answer.status < 300 and answer.body["status"] in ("completed", "refunded"):
                if person.around.shop.kinds[person.wish.sku] == "membership":
                    await person.ask("view_membership", {})
                return
            if kernel.now - paid_us > WORRY_US:
                await self._look_for_credit(looks)

    async def _look_for_credit(self, looks: int) -> None:
        """The goods are late: has anything been credited instead? And can it be spent?"""
        person = self._person
        answer = await person.ask("view_wallet", {})
        if not person.stormy or answer.status >= 300 or answer.body["balance_fen"] <= 0:
            return
        spend = person.strikes("spend_credit", str(looks))
        if spend is None:
            return
        await sleep(spend["after_us"])
        shop, balance_fen = person.around.shop, answer.body["balance_fen"]
        affordable = [
            sku for sku, kind in shop.kinds.items() if kind == "card" and shop.prices_fen[sku] <= balance_fen
        ]
        if affordable:
            dearest = max(affordable, key=lambda sku: shop.prices_fen[sku])
            await self._place(f"{person.key}-credit{looks}", dearest, 1, "wallet", "")

    async def _ask_refund(self, after_us: int) -> None:
        person = self._person
        await sleep(after_us)
        for n in range(1, SUBMITS_MAX + 1):
            answer = await person.ask("request_refund", {"order_id": self._order_id})
            if answer.status < 500:
                return
            await sleep(person.between_us(AGAIN_US, "people.refund_again", person.key, str(n)))
