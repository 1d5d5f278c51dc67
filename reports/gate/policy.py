"""What a release must show: the gate's policy as data. Every demand has its field; nothing is implied.

Names (designs, scenarios, invariants, rules, situations) are compared with those that exist in `checking.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from scenarios.durations import Duration
from scenarios.workload import Part

SCHEMA = 1
ALL = ("all",)
SHIPPED = ("default",)
"""The faults that a sweep tries unless it is told otherwise."""
LIBRARY, PRESENT = ("library",), ("present",)


def _share(value: object) -> object:
    """`1%` or 0.01."""
    if not isinstance(value, str):
        return value
    number = value.strip().removesuffix("%").strip()
    try:
        return float(number) / 100 if value.strip().endswith("%") else float(number)
    except ValueError:
        raise ValueError(f"{value!r} is no share; write it like 1% or 0.01") from None


def _names(value: object) -> object:
    """A single word (`all`, `library`, `present`) or a list of names."""
    return (value,) if isinstance(value, str) else value


Share = Annotated[
    float,
    BeforeValidator(_share, json_schema_input_type=float | str),
    Field(ge=0, le=1, examples=["1%", 0.01]),
]
Inner = Annotated[
    float,
    BeforeValidator(_share, json_schema_input_type=float | str),
    Field(gt=0, lt=1, examples=["95%", 0.95]),
]
"""A share that is neither nothing nor everything."""

_LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def _listed(*words: str) -> Any:
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, _LIST]})


Claims = Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1), _listed("all")]
Scenarios = Annotated[
    tuple[str, ...], BeforeValidator(_names), Field(min_length=1), _listed("library", "present")
]
Faults = Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1), _listed("default")]
Rules = Annotated[tuple[str, ...], BeforeValidator(_names), _listed("all")]


class Tolerance(Part):
    """A violation that is known and accepted for now."""

    name: str
    """The invariant (I-35) or rule (K-06)."""

    scenario: str | None = None
    """Only there; everywhere if left out."""

    below: Share = 1.0
    """It is accepted while its rate is proven to be below this."""

    why: str = Field(min_length=1, max_length=500)
    """For whoever reads the summary."""


class Demand(Part):
    """What one design must keep."""

    holds: Claims = ALL
    """Invariants and rules that no run may violate: `all`, or their names."""

    tolerated: tuple[Tolerance, ...] = ()
    """Exceptions, each with its reason."""


class Rate(Part):
    """How strong a clean record must be."""

    below: Inner = 0.01
    """The violation rate that the runs must exclude, at the policy's confidence."""

    over: Literal["scenario", "design"] = "scenario"
    """Proven for each scenario alone, or for all runs of a design together."""


class Percentiles(Part):
    """Limits to a distribution over orders."""

    p50: Duration | None = None
    """Half of the orders are faster."""

    p95: Duration | None = None
    """95 of 100 orders are faster."""

    p99: Duration | None = None
    """99 of 100 orders are faster."""

    max: Duration | None = None
    """No order is slower."""

    @model_validator(mode="after")
    def _says_something(self) -> Percentiles:
        if not any(self.model_dump().values()):
            raise ValueError("needs at least one of p50, p95, p99 and max")
        return self


class Limits(Part):
    """Thresholds. Each is judged for each scenario on each design."""

    scenarios: tuple[str, ...] = ()
    """Where they apply; everywhere if left out."""

    designs: tuple[str, ...] = ()
    """On which designs; on all that are gated if left out."""

    click_to_card: Percentiles | None = None
    """From a user's first click to the last ordered unit, over paid orders that were not refunded."""

    time_to_settle: Percentiles | None = None
    """From the first capture of an order to the last delivery, refund or credit, over paid orders."""

    money_at_risk_peak_fen: int | None = Field(None, ge=0)
    """Captured and not yet settled: the most at one moment of a run."""

    money_at_risk_end_fen: int | None = Field(None, ge=0)
    """The same when the run is over."""

    compensation_share: Share | None = None
    """What compensations cost, as a share of what was captured."""


class CertificateDemand(Part):
    """A sweep that must have been made and have held."""

    workload: str
    """What was swept, by the name in the certificate."""

    design: str
    """On which design."""

    k: int = Field(ge=1)
    """Combinations of up to so many faults, at least."""

    faults: Faults = SHIPPED
    """Faults that it must have tried, all in one sweep: `default`, or names and patterns such as 'link.*'."""

    file: str | None = None
    """Where it lies, seen from the policy's directory; else it must be given with --certificate."""


class Baseline(Part):
    """When the candidate is worse than a baseline: significantly, and by enough to matter."""

    required: bool = False
    """Without a baseline the gate is inconclusive."""

    significance: Inner = 0.05
    """Share of false alarms among alarms that is accepted over all comparisons."""

    pairs: int = Field(20, ge=6)
    """Seeds in common below which a comparison says nothing."""

    violation_rate: Share = 0.01
    """Worse by at least so many runs of a hundred."""

    click_to_card: float = Field(0.10, ge=0)
    """Slower by at least this share: the p95 of a run, mean over runs."""

    time_to_settle: float = Field(0.10, ge=0)
    """As click_to_card."""

    money_at_risk: float = Field(0.10, ge=0)
    """More by at least this share: the peak of a run, mean over runs."""

    compensation: float = Field(0.10, ge=0)
    """Dearer by at least this share, mean over runs."""


class Policy(Part):
    """A gate's policy."""

    version: Literal[1] = Field(1, alias="schema")
    """The version of this format."""

    confidence: Inner = 0.95
    """Of every statistical statement."""

    designs: dict[str, Demand] = Field({"resilient": Demand()}, min_length=1)
    """Designs that are gated, and what each must keep."""

    scenarios: Scenarios = PRESENT
    """Storms that each design must have met: `library`, `present` (whatever was run), or their names."""

    violation_rate: Rate | None = None
    """How strong a clean record must be; any number of runs if left out."""

    sometimes: tuple[str, ...] = ()
    """Situations that some run must have met, besides those that each scenario names itself."""

    due: Rules = ()
    """Compensation rules that some order must have given cause for: `all`, or their names."""

    limits: tuple[Limits, ...] = ()
    """Thresholds on time and money."""

    certificates: tuple[CertificateDemand, ...] = ()
    """Sweeps that are required."""

    baseline: Baseline = Baseline()
    """What `--baseline` must not be better at."""


def json_schema() -> dict[str, Any]:
    """The schema of a policy file, for editors."""
    schema = Policy.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "dingfeng gate policy"
    return schema
