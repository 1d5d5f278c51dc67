"""The platform on one node: requests in, answers out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from reference_platform.answers import Refused, refusal
from reference_platform.ports import PortError, Ports, Request, Response
from reference_platform.wiring import Config, Parts, Shop

Endpoint = Callable[[Request], Awaitable[Response]]


class OrderPlatform:
    """Routes each action to the part that serves it. Implements `ports.Platform`."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.endpoints: dict[str, Endpoint] = {
            "place_order": shop.checkout.place_order,
            "new_charge": shop.checkout.new_charge,
            "view_order": shop.views.order,
            "view_wallet": shop.views.wallet,
            "view_membership": shop.views.membership,
            "view_product": shop.views.product,
            "request_refund": shop.refunds.requested,
            "admin.tickets": shop.tickets.listed,
            "admin.resolve_ticket": shop.tickets.resolve,
        }
        for channel in shop.channels:
            self.endpoints[f"callback.{channel}"] = shop.callbacks.payment
        for supplier in shop.suppliers:
            self.endpoints[f"callback.supplier.{supplier}"] = shop.callbacks.supplier

    async def handle(self, request: Request) -> Response:
        """Serve one request. Trouble outside the platform is the caller's to try again."""
        endpoint = self.endpoints.get(request.action)
        if endpoint is None:
            return refusal(404, "unknown_action")
        try:
            return await endpoint(request)
        except Refused as refused:
            return refusal(refused.status, refused.code)
        except PortError:
            return refusal(503, "try_again")

    def start(self) -> None:
        """Begin background work."""
        self.shop.start()


def assemble(parts: Parts, config: Config, ports: Ports) -> OrderPlatform:
    """A node's platform from a design's parts."""
    return OrderPlatform(Shop(parts, config, ports))
