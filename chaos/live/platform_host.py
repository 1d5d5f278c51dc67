"""A node of the platform as a process: `python -m chaos.live.platform_host FILE`.

It gives the design's platform the ports it would have anywhere, PostgreSQL and HTTP, on the run's
shared clock, and serves it by HTTP. The platform cannot tell that it is tested.
"""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from typing import Final

from chaos.live import keys
from chaos.live.gate import Gate
from chaos.live.machine_clock import MachineClock
from chaos.live.serving import HOST, Stop, host
from chaos.live.settings import PlatformSettings, read
from chaos.live.slots import Slot
from chaos.live.timers import AsyncTimers
from chaos.opening import APP_ID, Opening
from reference_platform import designs
from reference_platform.adapters.connections import Limits as ConnectionLimits
from reference_platform.adapters.host import AsyncTasks, HostClock, RegisteredIds
from reference_platform.adapters.http import HttpChannel, HttpNotifier, HttpSupplier, Line, client
from reference_platform.adapters.postgres import PostgresDatabase
from reference_platform.api.app import create_app
from reference_platform.api.authentication import Tokens
from reference_platform.api.guard import Limits
from reference_platform.api.log import Log
from reference_platform.api.server import serving
from reference_platform.ports import Ports

USERS: Final = "users"


async def serve(settings: PlatformSettings, timers: AsyncTimers) -> None:
    """Until SIGTERM. A bug, in a request or in background work, ends the process and is raised, as in sim."""
    stop = Stop()
    opening = Opening(settings.model(), designs.load(settings.design), settings.seed)
    async with AsyncExitStack() as stack:
        file = os.open(settings.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        stack.callback(os.close, file)
        hardware = MachineClock(settings.machine_clock, timers.now_us)
        stack.callback(hardware.close)
        log = Log(settings.name, hardware.now_us, lambda line: os.write(file, line), stop.fail)
        database = PostgresDatabase(
            settings.database,
            schema=settings.schema,
            name=settings.name,
            replica_url=settings.replica or None,
            origin=settings.name,
            waits=timers,
            limits=ConnectionLimits(pool_size=opening.machines.pool_size),
        )
        stack.callback(database.close)
        session = await stack.enter_async_context(client())
        tasks = AsyncTasks(log.died, lambda name, error: log.bug(f"task {name}", error))
        stack.push_async_callback(tasks.close)
        workload = opening.scenario.workload

        def line(party: str) -> Line:
            return Line(party, settings.links[party], session, timers)

        ports = Ports(
            node=settings.name,
            clock=HostClock(hardware, timers),
            database=database,
            channels={
                name: HttpChannel(name, APP_ID, line(name), keys.check(settings.keys[name]))
                for name in workload.channels()
            },
            suppliers={
                name: HttpSupplier(name, line(name), keys.check(settings.keys[name]))
                for name in workload.suppliers()
            },
            notifier=HttpNotifier(line(USERS)),
            ids=RegisteredIds(settings.ids),
            tasks=tasks,
        )
        platform = opening.design.build(ports, opening.config)
        platform.start()
        app = create_app(
            platform,
            node=settings.name,
            tokens=Tokens(settings.token_key.encode(), hardware.now_us),
            log=log,
            limits=Limits(),
            workers=opening.machines.workers,
        )
        async with serving(app, host=HOST, port=settings.port, limits=Limits(), log=log):
            await stop.wait()


def main(argv: list[str]) -> int:
    """The process."""
    settings = read(argv, PlatformSettings)
    if settings.gate is not None:
        Gate(settings.gate).pass_through()

    async def whole(timers: AsyncTimers, slot: Slot) -> None:  # noqa: ARG001 - it needs no more than timers
        await serve(settings, timers)

    return host(settings, whole)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
