"""A channel or supplier on a kernel, with a scripted platform at the other end of its callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chaos.history import Book, Header, History
from reference_platform.ports import Rejected, Request, Response
from sim.counterparties.channel import Channel
from sim.counterparties.contracts import WECHAT, Contract
from sim.counterparties.fate import Terms
from sim.counterparties.signatures import MacSeal, Message
from sim.counterparties.supplier import Supplier
from sim.kernel import Kernel
from sim.randomness import Streams
from sim.storm import CALM, Storm

SEAL = MacSeal(b"test")
EPOCH_US = 1_000_000_000_000
OK = Response(200, raw=b"success")
FAIL = Response(500, raw=b"fail")


class Sure:
    """A storm that strikes each site of its faults, or those whose key satisfies `when`."""

    def __init__(
        self,
        faults: Mapping[str, Mapping[str, Any]],
        when: Callable[[tuple[str, ...]], bool] = lambda _: True,
    ) -> None:
        self._faults = faults
        self._when = when
        self.sites: list[tuple[str, str, tuple[str, ...]]] = []

    def at(self, fault: str, where: str, key: tuple[str, ...]) -> Mapping[str, Any] | None:
        params = self._faults.get(fault)
        if params is None or not self._when(key):
            return None
        self.sites.append((fault, where, key))
        return params

    def has(self, fault: str) -> bool:
        return fault in self._faults


class Scene:
    """Time, books and the platform's mailbox. `reply(request, n)` answers the n-th callback received."""

    def __init__(
        self, storm: Storm = CALM, reply: Callable[[Request, int], Response | None] = lambda *_: OK
    ) -> None:
        self.kernel = Kernel()
        self.history = History(_HEADER, lambda: self.kernel.now)
        self.storm = storm
        self.reply = reply
        self.received: list[tuple[int, Request]] = []

    def post(
        self,
        request: Request,
        timeout_us: int,
        key: tuple[str, ...],
        answered: Callable[..., None],
        *args: Any,
    ) -> None:
        self.received.append((self.kernel.now, request))
        answer = self.reply(request, len(self.received))
        self.kernel.call_at(self.kernel.now + (10_000 if answer else timeout_us), answered, *args, answer)

    def channel(self, contract: Contract = WECHAT, name: str = "wechat", seed: int = 1) -> Channel:
        return Channel(
            name,
            contract,
            app_id="app-1",
            timers=self.kernel,
            post=self.post,
            seal=SEAL,
            recorder=self.history,
            streams=Streams(seed),
            epoch_us=EPOCH_US,
            storm=self.storm,
        )

    def supplier(self, terms: Terms | None = None) -> Supplier:
        return Supplier(
            "alpha",
            costs={"credit": 90},
            timers=self.kernel,
            post=self.post,
            seal=SEAL,
            recorder=self.history,
            streams=Streams(1),
            epoch_us=EPOCH_US,
            storm=self.storm,
            terms=terms,
        )

    def wait(self, us: int) -> None:
        self.kernel.run_until(self.kernel.now + us)

    def books(self, *entries: str) -> list[tuple[str, str]]:
        """(entry, ref) of the books, only the named entries when there are any."""
        found = [event for event in self.history.events if isinstance(event, Book)]
        return [(event.entry, event.ref) for event in found if not entries or event.entry in entries]

    def data(self, entry: str) -> list[dict[str, Any]]:
        """What the entries of that name say."""
        return [dict(e.data) for e in self.history.events if isinstance(e, Book) and e.entry == entry]

    def messages(self) -> list[Message | None]:
        """The callbacks received, opened."""
        return [SEAL.open(request.headers, request.raw) for _, request in self.received]


_HEADER = Header(schema=1, version="0", scenario="", design="", seed=1, heal_us=0, settle_by_us=0, end_us=0)


def code_of(call: Callable[[], object]) -> str:
    """The code with which a call is rejected, or "" when it is not."""
    try:
        call()
    except Rejected as error:
        return error.code
    return ""
