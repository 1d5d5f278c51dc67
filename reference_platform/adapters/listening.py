"""LISTEN: one connection that only listens, and who waits for what it hears.

PostgreSQL keeps no notification for a session that is gone, so a lost connection is reported to
everybody who listens, once, and the next call subscribes anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import psycopg
from psycopg.sql import SQL, Identifier

from reference_platform.adapters.connections import Pool, Session
from reference_platform.adapters.waits import Waits
from reference_platform.ports import ConnectionLost

LOST = "the listening connection is gone: something may have been missed"


@dataclass(slots=True)
class Subscription:
    """One channel. `pending`: something was heard while nobody waited; `cut`: the connection was lost since."""

    pending: bool = False
    cut: bool = False
    waiters: list[asyncio.Future[bool]] = field(default_factory=list)

    def hear(self) -> None:
        """Wake all who wait, or leave a note for the next who does."""
        self.pending = not self._settle(True)

    def lose(self) -> None:
        """Tell all who wait, or the next who does, that the connection is gone."""
        self.cut = not self._settle(False)

    def _settle(self, heard: bool) -> bool:
        waiters = [waiter for waiter in self.waiters if not waiter.done()]
        for waiter in waiters:
            waiter.set_result(heard)
        return bool(waiters)


class Listener:
    """The subscriptions of one database client."""

    def __init__(self, pool: Pool, waits: Waits) -> None:
        self._pool = pool
        self._waits = waits
        self._session: Session | None = None
        self._reading = False
        self._subscribing = asyncio.Lock()
        self._channels: dict[str, Subscription] = {}

    async def listen(self, channel: str, timeout_us: int) -> bool:
        """See `ports.Database.listen`."""
        subscription = self._channels.get(channel)
        if subscription is None:
            subscription = await self._subscribe(channel)
        if subscription.cut:
            del self._channels[channel]
            raise ConnectionLost(LOST)
        if subscription.pending:
            subscription.pending = False
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        subscription.waiters.append(waiter)
        try:
            await self._waits.within(timeout_us, waiter, daemon=True)
        except TimeoutError:
            if waiter.cancelled() or not waiter.done():  # else it came in the moment in which we gave up
                return False
        finally:
            subscription.waiters.remove(waiter)
        if waiter.result():
            return True
        if self._channels.get(channel) is subscription:
            del self._channels[channel]
        raise ConnectionLost(LOST)

    async def _subscribe(self, channel: str) -> Subscription:
        async with self._subscribing:
            known = self._channels.get(channel)
            if known is not None:
                return known
            if self._session is None:
                self._session = await self._pool.connect()
                self._session.connection.add_notify_handler(self._notified)
            session = self._session
            self._read_on(session, False)
            try:
                await session.execute((SQL("listen {}").format(Identifier(channel)).as_string(None), []))
            except BaseException:
                self._lose()
                raise
            subscription = self._channels[channel] = Subscription()
            self._read_on(session, True)
            self._read(session)
            return subscription

    def _read_on(self, session: Session, reading: bool) -> None:
        """Watch for what the server sends, or leave it to the driver while a statement is under way."""
        if reading:
            asyncio.get_running_loop().add_reader(session.fd, self._read, session)
        elif self._reading:  # else the number of the file may be somebody else's by now
            asyncio.get_running_loop().remove_reader(session.fd)
        self._reading = reading

    def _read(self, session: Session) -> None:
        """The server has sent something: notifications, or its farewell."""
        connection = session.connection.pgconn
        try:
            connection.consume_input()
        except psycopg.OperationalError:
            self._lose()
            return
        while (notification := connection.notifies()) is not None:
            self._hear(notification.relname.decode())

    def _notified(self, notification: psycopg.Notify) -> None:
        """One that came along with the answer to a LISTEN."""
        self._hear(notification.channel)

    def _hear(self, channel: str) -> None:
        subscription = self._channels.get(channel)
        if subscription is not None:
            subscription.hear()

    def _lose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._read_on(session, False)
            session.close()
        for subscription in self._channels.values():
            subscription.lose()

    def close(self) -> None:
        """Stop listening; whoever still waits is told that the connection is gone."""
        self._lose()
        self._channels.clear()
