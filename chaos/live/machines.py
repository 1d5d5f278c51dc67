"""The platform's processes as the nemesis sees them: killed, frozen, set wrong, and brought back.

Killing and freezing return when it is done. Coming back takes real seconds, in the background.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

from chaos.live.background import Background
from chaos.live.machine_clock import MachineClock
from chaos.live.processes import Child, Supervisor


@dataclass(frozen=True, slots=True)
class Machine:
    """One process of the platform. `ready` asks it whether it serves; False while nobody answers."""

    child: Child
    clock: MachineClock
    ready: Callable[[], bool]


class PlatformMachines:
    """Implements `chaos.live.faults.Machines`."""

    def __init__(
        self, machines: Mapping[str, Machine], supervisor: Supervisor, background: Background
    ) -> None:
        self._machines = machines
        self._supervisor = supervisor
        self._background = background
        self._frozen: set[str] = set()

    def names(self) -> Sequence[str]:
        return list(self._machines)

    def kill(self, name: str) -> Mapping[str, int]:
        child = self._machines[name].child
        if child.returncode is not None:
            return {}
        os.kill(child.pid, signal.SIGSTOP)  # from here on it does nothing, however long we look
        cut = {"pid": child.pid, "connections": _connections(child.pid)}
        child.kill()
        self._frozen.discard(name)
        return cut

    def revive(self, name: str) -> None:
        self._background.do(self._boot, name)

    def freeze(self, name: str) -> bool:
        child = self._machines[name].child
        if child.returncode is not None or name in self._frozen:
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
            if machine.child.returncode is not None:
                wrong.append(f"{name} is dead")
            elif psutil.Process(machine.child.pid).status() == psutil.STATUS_STOPPED:
                wrong.append(f"{name} is frozen")
            elif not machine.ready():
                wrong.append(f"{name} does not serve")
            if machine.clock.offset_us:
                wrong.append(f"the clock of {name} is wrong")
        return wrong

    def _boot(self, name: str) -> None:
        machine = self._machines[name]
        child = machine.child
        if child.returncode is None:
            return  # somebody else has brought it back
        child.restart()
        # It may be killed again meanwhile; then it is for whoever did that to bring it back.
        self._supervisor.wait_ready(child, lambda: child.returncode is not None or machine.ready())


def _connections(pid: int) -> int:
    """How many TCP connections a living process has open."""
    found = psutil.Process(pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED for one in found)
