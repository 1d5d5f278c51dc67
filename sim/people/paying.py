"""How people pay: after some thought, perhaps late, perhaps twice, perhaps when the code is long closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reference_platform.ports import SECOND
from sim.kernel import Future, HarnessError, sleep
from sim.people.person import Person

PAYMENTS_MAX: Final = 4
THINK_US: Final = (3 * SECOND, 30 * SECOND)
AGAIN_US: Final = (2 * SECOND, 8 * SECOND)
SECOND_CHARGE_US: Final = (SECOND, 4 * SECOND)
SETTLED: Final = ("completed", "refunded", "closed")


async def think_and_pay(person: Person, order: Mapping[str, Any]) -> bool:
    """Pay an order as placed. True when the person has, or may have, paid."""
    think_us = person.between_us(THINK_US, "people.think", person.key)
    second: Mapping[str, Any] | None = None
    if person.stormy:
        if (late := person.strikes("pay_late")) is not None:
            think_us += late["delay_us"]
        if person.strikes("pay_twice") is not None:
            await sleep(think_us)
            think_us = 0
            second = await _another_charge(person, order)
    await sleep(think_us)
    if person.around.lingering:
        await _wait_for_close(person, order)
    paid = await _pay(person, order)
    if second is not None:
        await sleep(person.between_us(SECOND_CHARGE_US, "people.second", person.key))
        paid = await _pay(person, second) or paid
    return paid


def pay_static(person: Person) -> None:
    """Pay the price of the wish on the shop's printed code, without any order.

    Raises HarnessError in a shop without channels: the code is a channel's, and scenarios are checked for that.
    """
    wish, phone = person.wish, person.around.phone
    if not phone.channels:
        raise HarnessError(
            "user.static_code in a shop that takes no payment channel: there is no code to scan"
        )
    channel = wish.pay_with if wish.pay_with in phone.channels else next(iter(phone.channels))
    args = {
        "charge_no": f"Q-{wish.user}-{wish.number}",
        "order_id": "",
        "channel": channel,
        "amount_fen": person.around.shop.prices_fen[wish.sku] * wish.quantity,
    }
    phone.pay(wish.user, args)


async def _another_charge(person: Person, order: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Ask for another code, at another channel if there is one; the first code stays on the screen."""
    first = order["channel"]
    others = [name for name in person.around.phone.channels if name != first]
    answer = await person.ask(
        "new_charge", {"order_id": order["order_id"], "channel": (others or [first])[0]}
    )
    return answer.body if answer.status < 300 else None


async def _wait_for_close(person: Person, order: Mapping[str, Any]) -> None:
    channel, charge_no = order["channel"], order["charge_no"]
    late = person.around.storm.at("channel.pay_after_close", channel, (charge_no,))
    if late is not None:
        closed = Future(person.around.kernel)
        person.around.phone.channels[channel].linger(charge_no, closed.set)
        await closed
        await sleep(late["delay_us"])


async def _pay(person: Person, charge: Mapping[str, Any]) -> bool:
    phone, charge_no = person.around.phone, charge["charge_no"]
    args = {
        "charge_no": charge_no,
        "order_id": charge["order_id"],
        "channel": charge["channel"],
        "amount_fen": charge["payable_fen"],
    }
    paid = False
    for n in range(1, PAYMENTS_MAX + 1):
        dropped = person.strikes("drop", "pay", charge_no, str(n)) if person.stormy else None
        if dropped is not None:
            effect = person.around.uniform("people.drop", charge_no, n) < 0.5
            phone.pay_and_drop(person.user, args, effect=effect)
            paid = True  # as far as anybody knows
            await sleep(dropped["back_after_us"])
            answer = await person.view(charge["order_id"])
            if answer.status < 300 and answer.body["status"] in SETTLED:
                return True
            continue
        code = phone.pay(person.user, args)
        if code in {"ok", "ORDERPAID"}:
            return True
        if code == "ORDER_CLOSED":
            return paid
        await sleep(person.between_us(AGAIN_US, "people.pay_again", charge_no, str(n)))
    return paid
