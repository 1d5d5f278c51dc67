"""A channel or a supplier as a live process has it: the simulator's own class, its inputs, its books.

Everything that reaches it goes through `Durable`, so it stands after a kill where it stood before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import aiohttp
import msgspec

from chaos.live import keys
from chaos.live.drawing import SiteNemesis, own_events
from chaos.live.durable import Books, Durable, Input, Steps
from chaos.live.openings import Opening, Openings
from chaos.live.postman import Postman
from chaos.live.settings import CounterpartySettings
from chaos.live.timers import AsyncTimers
from chaos.messages import Fate, Messages
from chaos.opening import APP_ID
from chaos.opening import Opening as Start
from reference_platform import designs
from reference_platform.ports import Rejected, Request, Response, Unreachable
from sim.clock import EPOCH_US
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import CONTRACTS
from sim.counterparties.supplier import Supplier

Reply = Callable[[Response], None]


class Counterparty:
    """The machine behind one process: a channel or a supplier, its inputs and its books."""

    def __init__(
        self,
        settings: CounterpartySettings,
        timers: AsyncTimers,
        session: aiohttp.ClientSession,
        failed: Callable[[BaseException], None],
    ) -> None:
        scenario = settings.model()
        opening = Start(scenario, designs.load(settings.design), settings.seed)
        self.steps = steps = Steps()
        self.books = Books(settings.journal, timers.now_us, settings.ops_from)
        self._openings = Openings(settings.openings)
        self._nemesis = nemesis = SiteNemesis(
            opening,
            kernel=steps,
            history=self.books,
            plan=settings.plan,
            own=own_events(settings.name, scenario.workload),
        )
        self.messages = Messages(nemesis, opening.streams)
        fate_of = partial(self.messages.strike, settings.name, "edge")
        self.postman = Postman(settings.edge, timers, session, failed, fate_of)
        shared: dict[str, Any] = {
            "timers": steps,
            "post": self.postman.post,
            "seal": keys.seal(settings.key),
            "recorder": self.books,
            "streams": opening.streams,
            "epoch_us": EPOCH_US,
            "storm": nemesis,
        }
        self._name = settings.name
        self._asked: Counter[tuple[str, str, str]] = Counter()
        self.channel: Channel | None = None
        self.supplier: Supplier | None = None
        if settings.name in scenario.workload.channels():
            self.channel = Channel(settings.name, CONTRACTS[settings.name], app_id=APP_ID, **shared)
        else:
            self.supplier = Supplier(settings.name, **shared)
        self.durable = Durable(settings.inputs, steps, timers, self._apply, self._announced)

    def begin(self) -> None:
        """Come back to where the last life ended, and go on."""
        self.durable.replay()
        self.postman.begin(self.durable)
        self.durable.begin()
        self.books.all_met()

    async def close(self) -> None:
        """Callbacks under way, timers and files."""
        await self.postman.close()
        self.durable.close()
        self.books.close()

    def _apply(self, said: Input, reply: Any) -> None:
        """An input takes effect. `reply` hears of the answer, unless nobody waits for one any more."""
        data, tell = said.data, reply if reply is not None else _nobody
        if said.kind == "opened":
            self._nemesis.open(msgspec.convert(data, Opening))
        elif said.kind == "answered":
            self.postman.answered(data)
        elif said.kind == "arrived":
            tell(self._fate(data["caller"], data["call"], data["number"]))
        elif said.kind == "call":
            self._call(Request(data["call"], "", data["body"]), tell)
        else:
            self._user(said.kind, data, tell)

    def _announced(self) -> Iterable[tuple[int, str, dict[str, Any]]]:
        """Windows opened by events that others saw: inputs like all else, so a replay draws the same."""
        if self._nemesis.waits():
            for opening in self._openings.news():
                yield opening.start_us, "opened", msgspec.structs.asdict(opening)

    def _fate(self, caller: str, call: str, number: str) -> Fate | None:
        self._asked[caller, call, number] += 1
        return self.messages.strike(caller, self._name, (call, number, self._asked[caller, call, number]))

    def _call(self, request: Request, tell: Reply) -> None:
        if self.supplier is not None:
            self.supplier.handle(request, tell)
        elif self.channel is not None and (answer := self.channel.handle(request)) is not None:
            tell(answer)

    def _user(self, kind: str, data: dict[str, Any], tell: Reply) -> None:
        assert self.channel is not None
        try:
            if kind == "linger":
                self.channel.linger(data["charge_no"], partial(tell, Response(200)))
                return
            if kind == "pay":
                paid_fen = self.channel.pay(data["charge_no"], data["user"])
            else:
                paid_fen = self.channel.pay_static(data["charge_no"], data["user"], data["amount_fen"])
        except Rejected as error:
            tell(Response(400, {"code": error.code}))
        except Unreachable:
            tell(Response(503, {"code": "DOWN"}))
        else:
            tell(Response(200, {"paid_fen": paid_fen}))


def _nobody(_: Any) -> None:
    """Who asked in an earlier life has gone."""
