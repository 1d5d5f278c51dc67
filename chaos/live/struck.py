"""A person's request as the storm will have it, in a kernel that keeps up with the shared clock.

What `chaos.live.dispatch` is on asyncio this is for the people, who live in kernels: of a request that is lost, or
whose answer is, they learn nothing until their time is up; of a doubled one they take the first answer. A request
that is held back longer than they wait arrives all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chaos.messages import Fate, Key
from reference_platform.ports import Response
from sim.kernel import Future, Kernel, TimedOut, sleep, wait_for
from sim.network import Refused, Unknown

Outcome = Response | Refused | Unknown
FateOf = Callable[[Key], Fate | None]
"""What becomes of the request with this key; None: nothing."""


async def send(
    kernel: Kernel, exchange: Callable[[], Awaitable[Outcome]], timeout_us: int, fate: Fate | None
) -> Outcome:
    """What `exchange`, which sends the request once and waits, comes to."""
    if fate is None:
        return await exchange()
    heard = Future(kernel)

    async def arrive(after_us: int, *, copy: bool) -> None:
        await sleep(after_us)
        outcome = await exchange()
        if fate.answered and (isinstance(outcome, Response) or not copy):
            heard.set(outcome)  # counts once

    for number, after_us in enumerate(fate.arrivals_us):
        kernel.spawn(arrive(after_us, copy=number > 0), "struck request")
    try:
        outcome: Outcome = await wait_for(heard, timeout_us)
    except TimedOut:
        return Unknown("timeout")
    return outcome
