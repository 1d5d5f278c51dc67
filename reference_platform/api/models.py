"""What may be asked over HTTP, and the shape of every answer: bounds here, meaning in the platform.

A request that does not fit is refused before the platform sees it, so no part of it needs to fear a
control character, a novel or a quantity that is a string. Money is integer fen, times are µs since
the epoch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from reference_platform.checkout import QUANTITY_MAX

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", max_length=64)]
"""A user, a product, a channel."""

ClientKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$", max_length=64)]
"""The client's own name for one order."""

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@_.:+#-]{0,64}$", max_length=64)]
"""Where goods go: a telephone number, a mail address, a game's id. Cards need none."""

OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$", max_length=200)]
TicketId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,299}$", max_length=300)]


class Asked(BaseModel):
    """A request's body: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PlaceOrder(Asked):
    """An order. The same `client_key` is the same order, however often it is sent."""

    client_key: ClientKey
    sku: Name
    quantity: int = Field(ge=1, le=QUANTITY_MAX)
    pay_with: Name
    account: Account = ""


class NewCharge(Asked):
    """Another payment code for an order that is still unpaid."""

    channel: Name


# ---------------------------------------------------------------- answers, for the document


class OrderPlaced(BaseModel):
    """The order; `charge_no` is empty when the wallet paid."""

    order_id: str
    status: str
    payable_fen: int
    charge_no: str
    channel: str


class ChargeOpened(BaseModel):
    """The code to pay by."""

    order_id: str
    charge_no: str
    channel: str
    payable_fen: int


class OrderView(BaseModel):
    """An order as its buyer sees it."""

    order_id: str
    status: str
    delivered_qty: int
    cards: list[str]
    refunded_fen: int


class WalletView(BaseModel):
    """A balance; the provisional part may still be taken back."""

    balance_fen: int
    provisional_fen: int


class MembershipView(BaseModel):
    """Whether the user is a member now."""

    member: bool
    until_us: int


class ProductView(BaseModel):
    """A product; `shown` is the stock on display, -1 when it has none."""

    sku: str
    shown: int
    unit_fen: int


class RefundRequested(BaseModel):
    """The order whose refund has begun."""

    order_id: str
    status: str


class Ticket(BaseModel):
    """Work for people."""

    ticket_id: str
    ref: str
    order_id: str
    reason: str
    team: str
    status: Literal["open", "closed"]
    opened_us: int


class Tickets(BaseModel):
    """The open tickets, oldest first."""

    tickets: list[Ticket]


class TicketResolved(BaseModel):
    """What was done about a ticket."""

    ticket_id: str
    done: str


class Health(BaseModel):
    """This process answers."""

    node: str
    status: Literal["up"]


class Refusal(BaseModel):
    """Why not: 4xx certainly had no effect, 5xx may be tried again. `field` names what did not fit."""

    error: str
    field: str | None = None


JSON_REFUSALS: dict[int, str] = {
    401: "No valid token.",
    404: "There is no such thing, or it is not yours.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
    431: "The request's headers are too large.",
    422: "The request does not fit; `field` says where.",
    500: "A fault of the platform.",
    503: "Not now: try again.",
}
MORE_REFUSALS: dict[int, str] = {
    400: "The request makes no sense here.",
    402: "The balance is too low.",
    403: "Only for staff.",
    409: "Not in this state.",
    415: "The body is not application/json.",
}


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's entries for what can go wrong on any route, and for `more`."""
    said = JSON_REFUSALS | {status: MORE_REFUSALS[status] for status in more}
    return {status: {"model": Refusal, "description": text} for status, text in sorted(said.items())}
