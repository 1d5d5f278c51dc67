"""The live world of one run: every real part started, ready, and named; and at the end none of them left.

Parts are started together, because most of their time goes into being imported, and waited for one by one.
The shared clock stands at zero until all of them are ready. Whatever happens afterwards, leaving the block
ends every process and verifies it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from chaos.history import Event, State
from chaos.live import distances
from chaos.live.asking import ask
from chaos.live.background import Background
from chaos.live.clock import SharedClock
from chaos.live.conductor import Conductor
from chaos.live.distances import Hesitation
from chaos.live.drawing import Announcer
from chaos.live.faults import LiveFaults
from chaos.live.gate import Gate
from chaos.live.journal import Journal
from chaos.live.layout import EDGE, USERS, Layout
from chaos.live.line import ThreadLine
from chaos.live.link_faults import LinkFaults
from chaos.live.links import HOST
from chaos.live.load import command
from chaos.live.machine_clock import MachineClock
from chaos.live.machines import READY_S, Machine, RealMachines
from chaos.live.openings import Openings
from chaos.live.options import Options
from chaos.live.paced import PacedKernel
from chaos.live.processes import Child, Supervisor, listens, undisturbed
from chaos.live.store import Store
from chaos.live.toxics import Server as ToxiproxyServer
from chaos.live.toxics import Toxiproxy
from chaos.live.watch import Watch
from chaos.live.wire import Passes, Sent
from chaos.messages import Messages
from chaos.nemesis import Nemesis, hear
from chaos.opening import Opening
from reference_platform.ports import Response
from reference_platform.tables import ORDERS, TICKETS
from sim.clock import EPOCH_US
from sim.kernel import Kernel
from sim.people import Staff

Tell = Callable[[str], None]


class LiveWorld:
    """Opening and options made into running processes. `with` it; `tell` hears of each part."""

    def __init__(self, opening: Opening, options: Options, tell: Tell = lambda _: None) -> None:
        self.opening = opening
        self.options = options
        self.orders: dict[str, str] = {}  # order id -> its member, as committed
        self._tell = tell
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._build(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    # -------------------------------------------------------- starting

    def _build(self, stack: ExitStack) -> None:
        enter = stack.enter_context
        self.directory = Path(
            enter(tempfile.TemporaryDirectory(prefix="dingfeng-live-", ignore_cleanup_errors=True))
        )
        self.clock = SharedClock.create(self.directory / "clock", slots(self.opening, self.options.workers))
        stack.callback(self.clock.close)
        self.slot = self.clock.slot("orchestrator")
        stack.callback(self.slot.close)
        self.kernel = Kernel()
        self.paced = PacedKernel(self.kernel, self.clock, self.slot)
        self.supervisor = supervisor = enter(Supervisor(self.directory, self.slot))
        supervisor.vanish(self.directory)  # it has keys in it, and goes even if we are killed
        ports = supervisor.ports
        with undisturbed():  # it makes folders: whoever interrupts finds somebody who removes them
            self.store = Store(self.opening, ports, self.options.database_url)
            stack.callback(self.store.close)
            for folder in self.store.folders:
                supervisor.vanish(Path(folder))
        self.layout = Layout.draw(
            self.opening, self.directory, ports, self.store.addresses, self.options.workers
        )
        self.line = enter(
            ThreadLine(self.paced, self.slot, self.layout.front(), Passes(self.layout.keys.tokens))
        )
        self.background = enter(Background(self.clock, "background"))
        stack.callback(self._kill)
        self.conductor = Conductor(self.clock, may_hasten=self._may_hasten, may_leap=self._may_leap)
        self._database()
        self._proxies(stack)
        self._processes(stack)
        self.journal = Journal(self.layout.journal("orchestrator"), self.clock.now_us)
        stack.callback(self.journal.close)
        self._storm()
        self.watch = Watch(
            self.layout.journals(), self.store.commits, self._heard, eager=bool(self.nemesis.watched)
        )

    def _database(self) -> None:
        began_s = time.monotonic()
        self.store.start(self.background, self.conductor.to_run_us)
        self._ready("database", began_s)

    def _proxies(self, stack: ExitStack) -> None:
        began_s = time.monotonic()
        chosen = ToxiproxyServer.choose(self.options.toxiproxy)
        url = chosen.at
        if chosen.kind != "given":
            port = self.supervisor.ports.free()
            url = f"http://{HOST}:{port}"
            words = chosen.command(HOST, port, self.opening.streams.seed)
            child = self.supervisor.start("toxiproxy", words)
            self.supervisor.wait_ready(child, lambda: listens(port), READY_S)
        server = Toxiproxy(url)
        self.proxies = LinkFaults(server)
        if chosen.kind == "given":  # it lives on, without us
            stack.callback(_withdraw, server, [link.name for link in self.layout.links])
        server.populate(
            [
                {"name": link.name, "listen": f"{HOST}:{link.port}", "upstream": link.upstream}
                for link in self.layout.links
            ]
        )
        distances.stretch(self.layout.links, self.proxies, self.opening.scenario.speeds, self.layout.parties)
        self._ready(f"toxiproxy ({chosen.kind})", began_s)

    def _processes(self, stack: ExitStack) -> None:
        """Everything of Python's, side by side."""
        began_s = time.monotonic()
        layout = self.layout
        started: dict[str, tuple[Child, Callable[[], bool]]] = {}

        def start(name: str, module: str, settings: Path) -> Child:
            child = self.supervisor.start(name, [sys.executable, "-m", f"chaos.live.{module}", str(settings)])
            started[name] = child, partial(serves, layout.health(name))
            return child

        # Made before there are processes, which would make those that they do not find.
        clocks = {
            name: MachineClock(layout.machine_clock(name), self.clock.now_us)
            for name in (*self.opening.node_names(), *layout.parties)
        }
        for clock in clocks.values():
            stack.callback(clock.close)
        self._machines: dict[str, Machine] = {}
        for name in self.opening.node_names():
            urls = self.store.urls(partial(layout.links.port, name))
            settings = layout.node(name, *urls, self.store.database.schema)
            self._machine(start(name, "platform_host", settings.save(self._file(name))), clocks[name])
        start(EDGE, "balancer", layout.edge().save(self._file(EDGE)))
        for name in (USERS, *layout.parties):
            child = start(name, "counterparty_host", layout.counterparty(name).save(self._file(name)))
            if name != USERS:
                self._machine(child, clocks[name])
        self._start_load(started)
        for name, (child, ready) in started.items():
            self.supervisor.wait_ready(child, ready, READY_S)
            self._ready(name, began_s)

    def _machine(self, child: Child, clock: MachineClock) -> None:
        """One that the storm may hit."""
        name, layout = child.name, self.layout
        ready = partial(serves, layout.health(name))
        self._machines[name] = Machine(child, clock, Gate(layout.gate(name)), ready)

    def _start_load(self, started: dict[str, tuple[Child, Callable[[], bool]]]) -> None:
        order = self.layout.load(None).save(self._file("load"))
        csv, loads = self.directory / "load", self.layout.loads
        surroundings = command.environment(order)
        if len(loads) == 1:
            child = self.supervisor.start("load", command.alone(csv), env=surroundings)
        else:
            port = self.supervisor.ports.free()
            child = self.supervisor.start("load", command.master(csv, len(loads), port), env=surroundings)
            for name in loads:
                self.supervisor.start(name, command.worker(port), env=surroundings)
        started["load"] = child, lambda: self.clock.names().issuperset(loads)

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"

    def _ready(self, name: str, since_s: float) -> None:
        self._tell(f"{name} is ready after {time.monotonic() - since_s:.1f} s")

    def _storm(self) -> None:
        """The nemesis with its hands, and the people at the money desk, in the orchestrator's kernel."""
        opening = self.opening
        machines = RealMachines(self._machines, self.supervisor, self.background)
        self.faults = LiveFaults(self.layout.links, self.proxies, machines, self.store)
        self.nemesis = Nemesis(
            opening.scenario.faults,
            kernel=self.kernel,
            streams=opening.streams,
            history=self.journal,
            heal_us=opening.heal_us,
            plan=self.layout.plan,
        )
        self.nemesis.schedule(self.faults)
        self.line.fate_of = partial(Messages(self.nemesis, opening.streams).strike, USERS, EDGE)
        self.announcer = Announcer(self.nemesis, Openings(self.layout.openings))
        self.hesitation = Hesitation(self.nemesis, self.layout.links, self.proxies, self.kernel)
        self.staff = Staff(self.kernel, self.line, opening.streams, epoch_us=EPOCH_US)

    def _kill(self) -> None:
        """Nobody talks to the database any more, nor are answers waited for. The rest is the supervisor's."""
        with undisturbed():
            for child in self.supervisor.children.values():
                child.kill()

    # -------------------------------------------------------- while it runs

    def check(self) -> None:
        """Raise what went wrong anywhere: a part that died unasked, a thread of our own that failed."""
        for name in ("load", *self.layout.loads):
            load = self.supervisor.children.get(name)
            if load is not None and load.returncode == 0:
                load.wait(1.0)  # everybody is content; a load that ended otherwise has failed
        self.supervisor.check()
        self.background.check()
        self.watch.check()
        self.conductor.check()

    def _may_leap(self) -> bool:
        """Not before what was written down has been heard, and the replica shows it."""
        return self.watch.caught_up() and self.store.shows_all()

    def _may_hasten(self) -> bool:
        """Not while a toxic counts real milliseconds."""
        return not self.faults.timed

    def _heard(self, news: list[Event]) -> None:
        """In the watch's or the conductor's thread: hand it to the kernel."""
        self.paced.inject(self._take, news)

    def _take(self, news: list[Event]) -> None:
        for event in news:
            if isinstance(event, State) and event.op == "insert" and event.row is not None:
                if event.table == ORDERS.name:
                    self.orders[event.key] = event.row["user"]
                elif event.table == TICKETS.name:
                    self.staff.on_ticket()
            hear(self.nemesis, event)
        self.announcer.look()
        self.hesitation.look()


def slots(opening: Opening, workers: int) -> int:
    """How many loops of control keep time in a run: each process, and two of the orchestrator's own threads."""
    workload = opening.scenario.workload
    parties = len(workload.channels()) + len(workload.suppliers())
    return 2 + len((EDGE, USERS)) + parties + len(opening.node_names()) + workers


def _withdraw(server: Toxiproxy, names: Sequence[str]) -> None:
    """Leave a Toxiproxy that is not ours as it was found."""
    there = server.proxies()
    for name in names:
        if name in there:
            server.delete(name)


def serves(address: str) -> bool:
    """Whether a part answers that it is up."""
    answer = ask(address, Sent("GET", "/health", {}), {}, timeout_s=5.0)
    return isinstance(answer, Response) and answer.status == 200
