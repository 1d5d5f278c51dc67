"""The money desk: people with shifts and service times, who take tickets in order of arrival.

"Money is checked within 30 minutes" is a promise about a queue, so the desk is a SimPy resource. It
asks the platform for open tickets only while there are any: the world wakes it by `on_ticket`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import simpy

from reference_platform.ports import DAY, MINUTE, SECOND, Request, Response
from sim.kernel import Kernel, sleep
from sim.people.phone import Line
from sim.randomness import Streams

LOOK_AGAIN_US: Final = 5 * MINUTE
TIMEOUT_US: Final = 10 * SECOND
TRIES_MAX: Final = 12


class Staff:
    """`people` at the desk. `shift_us` is the working day (from, until) in µs of the day; None: always open.

    A ticket that cannot be resolved is tried again at each look, at most TRIES_MAX times.
    """

    def __init__(
        self,
        kernel: Kernel,
        line: Line,
        streams: Streams,
        *,
        people: int = 2,
        service_us: int = 3 * MINUTE,
        shift_us: tuple[int, int] | None = None,
        epoch_us: int = 0,
    ) -> None:
        self._kernel = kernel
        self._line = line
        self._streams = streams
        self._desk = simpy.Resource(kernel, people)
        self._service_us = service_us
        self._shift_us = shift_us
        self._epoch_us = epoch_us
        self._looking = False
        self._news = False  # a ticket was opened since the last question
        self._in_hand: dict[str, None] = {}
        self._tries: dict[str, int] = {}
        self._asked = 0

    def on_ticket(self) -> None:
        """A ticket was opened somewhere: somebody will look."""
        self._news = True
        if not self._looking:
            self._looking = True
            self._kernel.spawn(self._look(), "money desk")

    async def _look(self) -> None:
        """Ask for open tickets until there are none left that could be resolved."""
        silences = 0
        await sleep(SECOND)
        while silences < TRIES_MAX:
            self._news = False
            answer = await self._ask("admin.tickets", {})
            hopeful = True
            if answer is None or answer.status >= 300:
                silences += 1
            else:
                silences = 0
                taken = [self._take(ticket["ticket_id"]) for ticket in answer.body["tickets"]]
                hopeful = any(taken) or self._news
            if not hopeful:
                break
            await sleep(LOOK_AGAIN_US)
        self._looking = False

    def _take(self, ticket_id: str) -> bool:
        """Put a ticket in the line, unless it is there. False: it was tried too often."""
        if ticket_id in self._in_hand:
            return True
        tries = self._tries[ticket_id] = self._tries.get(ticket_id, 0) + 1
        if tries > TRIES_MAX:
            return False
        self._in_hand[ticket_id] = None
        self._kernel.spawn(self._serve(ticket_id, tries), "money desk")
        return True

    async def _serve(self, ticket_id: str, tries: int) -> None:
        turn = self._desk.request()
        try:
            await self._kernel.event_done(turn)
            await self._shift_begins()
            await sleep(int(self._streams.exponential("staff.service", self._service_us, ticket_id, tries)))
            await self._ask("admin.resolve_ticket", {"ticket_id": ticket_id})
        finally:
            self._desk.release(turn)
            del self._in_hand[ticket_id]

    async def _shift_begins(self) -> None:
        if self._shift_us is not None:
            start_us, end_us = self._shift_us
            of_day_us = (self._kernel.now + self._epoch_us) % DAY
            if not start_us <= of_day_us < end_us:
                await sleep((start_us - of_day_us) % DAY)

    async def _ask(self, action: str, body: Mapping[str, Any]) -> Response | None:
        self._asked += 1
        outcome = await self._line.call(
            Request(action, "staff", body), TIMEOUT_US, (action, "staff", str(self._asked))
        )
        return outcome if type(outcome) is Response else None
