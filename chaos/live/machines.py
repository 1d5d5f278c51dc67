"""The processes of platform and counterparties as the nemesis sees them: killed, frozen, set wrong, and brought back.

Killing and freezing return when it is done. Coming back takes real seconds, in the background: most of them go into
loading the successor, and that begins with the kill (see `gate`).
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from chaos.live.background import Background
from chaos.live.child import Child
from chaos.live.gate import Gate
from chaos.live.machine_clock import MachineClock
from chaos.live.processes import Supervisor

READY_S = 180.0
"""Real seconds that a process may take to be loaded, or to serve: seconds, but minutes on a very busy machine."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One process of the platform. `ready` asks it whether it serves; False while nobody answers."""

    child: Child
    clock: MachineClock
    gate: Gate
    ready: Callable[[], bool]


class RealMachines:
    """Implements `chaos.live.faults.Machines`."""

    def __init__(
        self, machines: Mapping[str, Machine], supervisor: Supervisor, background: Background
    ) -> None:
        self._machines = machines
        self._supervisor = supervisor
        self._background = background
        self._frozen: set[str] = set()
        self._down: set[str] = set()
        self._kills: Counter[str] = Counter()

    def names(self) -> Sequence[str]:
        return list(self._machines)

    def kill(self, name: str) -> Mapping[str, int]:
        child = self._machines[name].child
        if name in self._down or child.returncode is not None:
            return {}
        os.kill(child.pid, signal.SIGSTOP)  # from here on it does nothing, however long we look
        cut = {"pid": child.pid, "connections": _connections(child.pid)}
        child.kill()
        self._frozen.discard(name)
        self._down.add(name)
        self._kills[name] += 1
        self._machines[name].gate.close()
        self._background.do(self._load, name, self._kills[name])
        return cut

    def revive(self, name: str) -> None:
        if name in self._down:
            self._down.discard(name)
            self._background.do(self._boot, name, self._kills[name])

    def freeze(self, name: str) -> bool:
        child = self._machines[name].child
        if name in self._down or child.returncode is not None or name in self._frozen:
            return False
        child.stop()
        self._frozen.add(name)
        return True

    def thaw(self, name: str) -> None:
        if name in self._frozen:
            self._frozen.discard(name)
            self._machines[name].child.go_on()

    def skew(self, name: str, offset_us: int) -> None:
        self._machines[name].clock.skew(offset_us)

    def misread(self, name: str) -> int:
        return self._machines[name].clock.wrong_readings

    def unwell(self) -> list[str]:
        """Looked up in the operating system and asked over HTTP, not taken from our own books."""
        wrong = []
        for name, machine in self._machines.items():
            if name in self._down or machine.child.returncode is not None:
                wrong.append(f"{name} is dead")
            elif psutil.Process(machine.child.pid).status() == psutil.STATUS_STOPPED:
                wrong.append(f"{name} is frozen")
            elif not machine.ready():
                wrong.append(f"{name} does not serve")
            if machine.clock.offset_us:
                wrong.append(f"the clock of {name} is wrong")
        return wrong

    # In the background. Whoever has been killed again meanwhile is no longer theirs to bring back.

    def _load(self, name: str, kill: int) -> None:
        """Have the successor ready at its gate."""
        machine = self._machines[name]
        child = machine.child
        if kill == self._kills[name]:
            child.restart()
            self._supervisor.wait_ready(
                child, lambda: child.returncode is not None or machine.gate.reached(), READY_S
            )

    def _boot(self, name: str, kill: int) -> None:
        """Let it live."""
        machine = self._machines[name]
        child = machine.child
        if kill == self._kills[name]:
            machine.gate.open()
            self._supervisor.wait_ready(
                child, lambda: child.returncode is not None or machine.ready(), READY_S
            )


def _connections(pid: int) -> int:
    """How many TCP connections a living process has open."""
    found = psutil.Process(pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED for one in found)
