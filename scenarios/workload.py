"""Who orders what, and when: the calm part of a scenario."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenarios.durations import Duration

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Fen = Annotated[int, Field(ge=0, strict=True)]


class Part(BaseModel):
    """A piece of a scenario: read-only, and no field but those declared."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True
    )


class Constant(Part):
    """Orders arrive at random at a steady rate."""

    shape: Literal["constant"]
    rate_per_s: float = Field(gt=0)
    """Mean orders a second."""


class StepPeak(Part):
    """A calm base, then a step to a peak that decays by halves."""

    shape: Literal["step_peak"]
    base_per_s: float = Field(gt=0)
    """Mean orders a second before the step."""

    factor: float = Field(gt=1)
    """Peak over base."""

    at: Duration
    """When the step begins."""

    ramp: Duration = 30_000_000
    """From the start of the step to its peak."""

    half_life: Duration = 240_000_000
    """After the peak, until half of the excess is gone."""


class Burst(Part):
    """All orders at random times within a short span."""

    shape: Literal["burst"]
    within: Duration
    """The span."""


Arrivals = Annotated[Constant | StepPeak | Burst, Field(discriminator="shape")]


class Product(Part):
    """One thing for sale."""

    sku: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Its name: lower case, digits, - and _."""

    kind: Literal["card", "topup", "membership"]
    """Card secrets from stock, credit through a supplier, or days of membership."""

    price_fen: int = Field(gt=0, strict=True)
    """Price of one piece."""

    member_price_fen: Fen | None = None
    """Price of one piece for members; sources say 80 to 90% of the price."""

    stock: int = Field(0, ge=0, strict=True)
    """Cards loaded; cards only."""

    days: int = Field(0, ge=0, strict=True)
    """Days that one piece adds; memberships only."""

    suppliers: tuple[str, ...] = ()
    """Routes in order of preference; top-ups only."""

    weight: float = Field(1.0, gt=0)
    """Popularity, when `zipf` is 0."""

    disclosed_wait: Duration = 0
    """A wait that the buyer was told of; no make-good is owed inside it."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        given = {"card": bool(self.stock), "membership": bool(self.days), "topup": bool(self.suppliers)}
        field = {"card": "stock", "membership": "days", "topup": "suppliers"}
        if self.kind != "card" and not given[self.kind]:
            raise ValueError(f"a {self.kind} needs {field[self.kind]}")
        for kind, present in given.items():
            if present and kind != self.kind:
                raise ValueError(f"a {self.kind} has no {field[kind]}; that is for a {kind}")
        if len(set(self.suppliers)) != len(self.suppliers):
            raise ValueError("suppliers name one twice")
        if self.member_price_fen is not None and self.member_price_fen > self.price_fen:
            raise ValueError(f"member_price_fen {self.member_price_fen} is above price_fen {self.price_fen}")
        return self


class Quantity(Part):
    """Pieces in an order, each number equally likely."""

    min: int = Field(1, ge=1, strict=True)
    """At least."""

    max: int = Field(1, ge=1, strict=True)
    """At most."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max {self.max} is below min {self.min}")
        return self


class Workload(Part):
    """The people and their orders."""

    orders: int = Field(ge=1, le=10_000_000, strict=True)
    """How many orders are placed."""

    arrivals: Arrivals
    """When."""

    members: int = Field(20, ge=1, strict=True)
    """How many people there are to place them."""

    products: tuple[Product, ...] = Field(min_length=1)
    """What is for sale, the most popular first."""

    zipf: float = Field(0.0, ge=0.0, le=5.0)
    """Exponent of popularity over the order of `products`; 0 goes by their weights."""

    quantity: Quantity = Quantity()
    """Pieces in an order."""

    pay_with: dict[Literal["wechat", "alipay", "wallet"], float] = Field({"wechat": 1.0}, min_length=1)
    """Ways to pay, by weight."""

    members_with_membership: Share = 0.0
    """Share of people who are members already."""

    wallet_fen: Fen = 0
    """Opening balance of each wallet."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if any(weight < 0 for weight in self.pay_with.values()) or not any(self.pay_with.values()):
            raise ValueError("weights of pay_with must be 0 or more, and one above 0")
        return self

    def channels(self) -> tuple[str, ...]:
        """The payment channels in use, in the order of the file."""
        return tuple(name for name in self.pay_with if name != "wallet")

    def suppliers(self) -> tuple[str, ...]:
        """The suppliers in use, in the order of the file."""
        return tuple(dict.fromkeys(name for product in self.products for name in product.suppliers))
