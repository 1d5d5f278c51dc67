"""A channel's notices: what happened to a charge, told by callback and booked attempt by attempt."""

from __future__ import annotations

from typing import Any, Final

from reference_platform.ports import Response
from sim.counterparties.callbacks import Callback, Callbacks
from sim.counterparties.charge import Charge
from sim.counterparties.contracts import Contract
from sim.counterparties.host import Host
from sim.counterparties.signatures import Message

FIRST_US: Final = (50_000, 800_000)


class Notices:
    """Tells of captures and finished refunds. The first attempt follows at once, or nearly so."""

    def __init__(self, host: Host, contract: Contract, app_id: str) -> None:
        self._host = host
        self._book = host.recorder.book
        self._app_id = app_id
        self._channel = host.name
        self.callbacks = Callbacks(
            host,
            self,
            "channel",
            action=f"callback.{host.name}",
            retry_us=contract.retry_us,
            ack_timeout_us=contract.ack_timeout_us,
            accepts=contract.accepts,
        )

    def tell(self, charge: Charge, event: str) -> None:
        """Send a notice of `event` with the charge's capture as it stands."""
        charge.notices += 1
        site = f"n{charge.notices}"
        message = Message(f"{charge.charge_no}.{site}", event, self._resource(charge))
        delay_us = self._host.between_us(FIRST_US, "channel.notice", charge.charge_no, site)
        self.callbacks.start(Callback(charge.charge_no, site, message), delay_us)

    def _resource(self, charge: Charge) -> dict[str, Any]:
        return {
            "app_id": self._app_id,
            "charge_no": charge.charge_no,
            "transaction_id": charge.transaction_id,
            "paid_fen": charge.paid_fen,
            "paid_us": charge.paid_us,
        }

    def callback_sent(self, callback: Callback) -> None:
        """Book an attempt. Called by the sender, as is `callback_answered`."""
        self._book(
            "CH",
            "callback_sent",
            callback.ref,
            {
                "channel": self._channel,
                "notify_id": callback.message.notify_id,
                "attempt": callback.attempt,
                "event": callback.message.event,
                "paid_fen": callback.message.resource["paid_fen"],
            },
        )

    def callback_answered(self, callback: Callback, attempt: int, response: Response, accepted: bool) -> None:
        self._book(
            "CH",
            "callback_acked",
            callback.ref,
            {
                "channel": self._channel,
                "notify_id": callback.message.notify_id,
                "attempt": attempt,
                "status": response.status,
                "accepted": accepted,
            },
        )
