"""Callbacks: believed only when signed, ours and confirmed; acknowledged only when remembered.

A success ack tells the channel to forget the notice, so it goes out after the commit of the inbox
row and never before.
"""

from __future__ import annotations

from reference_platform.answers import TERMINAL_ACK, Refused
from reference_platform.payments import Capture, captured
from reference_platform.ports import PaymentChannel, PaymentNotice, Request, Response
from reference_platform.tables import InboxRow
from reference_platform.wiring import Part

SUPPLIER_ACK = Response(200, {}, b"SUCCESS")


class Callbacks(Part):
    """Serves `callback.<channel>` and `callback.supplier.<name>`."""

    async def payment(self, request: Request) -> Response:
        """A payment channel calls."""
        name = request.action.partition(".")[2]
        channel = self.shop.channels.get(name)
        if channel is None:
            raise Refused(404, "unknown_channel")
        notice = channel.verify(request.headers, request.raw)
        if notice is None:
            raise Refused(401, "bad_signature")
        self.check_app(channel, notice)
        if notice.event == "SUCCESS":
            await self.paid(channel, notice)
        else:
            await self.shop.refunds.notified(self.inbox_row(channel, notice))
        return TERMINAL_ACK

    def check_app(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        """A notice for another merchant is none of our business, however well it is signed."""
        if notice.app_id != channel.app_id:
            raise Refused(403, "not_our_app")

    async def paid(self, channel: PaymentChannel, notice: PaymentNotice) -> None:
        """A charge was paid, says the notice."""
        capture = await self.confirm(channel, notice)
        await self.shop.transactions.run(
            self.shop.payments.notified, capture, self.inbox_row(channel, notice)
        )

    async def confirm(self, channel: PaymentChannel, notice: PaymentNotice) -> Capture:
        """The notice at its word."""
        return Capture(channel.name, notice.charge_no, notice.paid_fen, notice.transaction_id, notice.paid_us)

    def inbox_row(self, channel: PaymentChannel, notice: PaymentNotice) -> InboxRow:
        """What is remembered of a notice."""
        return {
            "notice_key": f"{channel.name}:{notice.notify_id}",
            "channel": channel.name,
            "charge_no": notice.charge_no,
            "event": notice.event,
            "paid_fen": notice.paid_fen,
            "transaction_id": notice.transaction_id,
            "status": "processed",
            "received_us": self.clock.now_us(),
        }

    async def supplier(self, request: Request) -> Response:
        """A supplier calls."""
        supplier = self.shop.suppliers.get(request.action.rpartition(".")[2])
        if supplier is None:
            raise Refused(404, "unknown_supplier")
        told = supplier.verify(request.headers, request.raw)
        if told is None:
            raise Refused(401, "bad_signature")
        await self.shop.topups.told(supplier.name, *told)
        return SUPPLIER_ACK


class ConfirmedCallbacks(Callbacks):
    """A signing key can leak and a valid notice can be replayed; the channel's own answer cannot."""

    async def confirm(self, channel: PaymentChannel, notice: PaymentNotice) -> Capture:
        """What the channel itself says of the charge; until it does, the notice has no effect."""
        capture = captured(channel.name, notice.charge_no, await channel.query(notice.charge_no))
        if capture is None:
            raise Refused(503, "not_confirmed")
        return capture
