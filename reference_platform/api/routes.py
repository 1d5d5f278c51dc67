"""Routes to actions: each says who may ask and what, and hands it to the desk.

The bodies are those that a simulated node gives and takes, so a client cannot tell the worlds apart.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from reference_platform.api import models
from reference_platform.api.desk import BEARER, OfTheStaff, SignedIn, TheDesk
from reference_platform.api.models import refusals

router: Final = APIRouter()
BEARER_NEEDED: Final = [Depends(BEARER)]

OrderId = Annotated[models.OrderId, Path(description="The order's number.")]
TicketId = Annotated[models.TicketId, Path(description="The ticket's number.")]
Name = Annotated[models.Name, Path()]


# ---------------------------------------------------------------- members


@router.post(
    "/orders",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.OrderPlaced}, **refusals(400, 402, 409, 415)},
)
async def place_order(http: Request, desk: TheDesk, caller: SignedIn, wish: models.PlaceOrder) -> Response:
    """Order something, and get the code to pay it by."""
    return await desk.ask(http, "place_order", caller, wish.model_dump())


@router.post(
    "/orders/{order_id}/charges",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.ChargeOpened}, **refusals(400, 409, 415)},
)
async def new_charge(
    http: Request, desk: TheDesk, caller: SignedIn, order_id: OrderId, wish: models.NewCharge
) -> Response:
    """Get another code for an unpaid order."""
    return await desk.ask(http, "new_charge", caller, {"order_id": order_id, "channel": wish.channel})


@router.get(
    "/orders/{order_id}",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.OrderView}, **refusals()},
)
async def view_order(http: Request, desk: TheDesk, caller: SignedIn, order_id: OrderId) -> Response:
    """Look at an order of one's own."""
    return await desk.ask(http, "view_order", caller, {"order_id": order_id})


@router.post(
    "/orders/{order_id}/refund",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.RefundRequested}, **refusals(409, 415)},
)
async def request_refund(http: Request, desk: TheDesk, caller: SignedIn, order_id: OrderId) -> Response:
    """Ask for the money back."""
    return await desk.ask(http, "request_refund", caller, {"order_id": order_id})


@router.get(
    "/wallet", dependencies=BEARER_NEEDED, responses={200: {"model": models.WalletView}, **refusals()}
)
async def view_wallet(http: Request, desk: TheDesk, caller: SignedIn) -> Response:
    """Look at one's balance."""
    return await desk.ask(http, "view_wallet", caller)


@router.get(
    "/membership", dependencies=BEARER_NEEDED, responses={200: {"model": models.MembershipView}, **refusals()}
)
async def view_membership(http: Request, desk: TheDesk, caller: SignedIn) -> Response:
    """Whether one is a member, and until when."""
    return await desk.ask(http, "view_membership", caller)


@router.get(
    "/products/{sku}",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.ProductView}, **refusals()},
)
async def view_product(http: Request, desk: TheDesk, caller: SignedIn, sku: Name) -> Response:
    """Price and stock on display."""
    return await desk.ask(http, "view_product", caller, {"sku": sku})


@router.get(
    "/admin/tickets", dependencies=BEARER_NEEDED, responses={200: {"model": models.Tickets}, **refusals(403)}
)
async def tickets(http: Request, desk: TheDesk, caller: OfTheStaff) -> Response:
    """The open tickets."""
    return await desk.ask(http, "admin.tickets", caller)


@router.post(
    "/admin/tickets/{ticket_id:path}/resolve",
    dependencies=BEARER_NEEDED,
    responses={200: {"model": models.TicketResolved}, **refusals(403, 415)},
)
async def resolve_ticket(http: Request, desk: TheDesk, caller: OfTheStaff, ticket_id: TicketId) -> Response:
    """Do what the ticket asks for, and close it."""
    return await desk.ask(http, "admin.resolve_ticket", caller, {"ticket_id": ticket_id})


# ---------------------------------------------------------------- counterparties


def _acknowledgements() -> dict[int | str, dict[str, Any]]:
    """What a counterparty may hear: bytes of its own liking, or a refusal before anybody looked."""
    plain: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    texts = {
        200: "Taken in, and remembered.",
        401: "The seal is broken or missing.",
        403: "Sealed for another merchant.",
        404: "Nobody here knows that counterparty, or the attempt it tells of.",
        409: "It contradicts what is known.",
        503: "Not now: tell again.",
    }
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": text, **plain} for status, text in texts.items()
    }
    return refusals() | told


async def _seal(
    x_pay_timestamp: Annotated[str, Header(description="Seconds since the epoch.")] = "",
    x_pay_nonce: Annotated[str, Header(description="New at each attempt.")] = "",
    x_pay_signature: Annotated[str, Header(description="Over time, nonce and body.")] = "",
) -> None:
    """For the document: the platform itself reads these."""
    del x_pay_timestamp, x_pay_nonce, x_pay_signature


CALLBACK: Final[dict[str, Any]] = {
    "dependencies": [Depends(_seal)],
    "responses": _acknowledgements(),
    "openapi_extra": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
}


@router.post("/callbacks/{channel}", **CALLBACK)
async def payment(http: Request, desk: TheDesk, channel: Name) -> Response:
    """A payment channel tells of a payment or refund. The body is read as bytes: the seal is over bytes."""
    return await desk.tell(http, f"callback.{channel}")


@router.post("/callbacks/suppliers/{supplier}", **CALLBACK)
async def supply(http: Request, desk: TheDesk, supplier: Name) -> Response:
    """A supplier tells of an attempt."""
    return await desk.tell(http, f"callback.supplier.{supplier}")
