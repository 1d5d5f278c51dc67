"""A scenario: what should happen, to whom, and what must be true all the same. Pure data."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from scenarios.durations import Duration
from scenarios.faults import FAULTS
from scenarios.faults.rule import Rule
from scenarios.speeds import Speeds
from scenarios.workload import Part, Workload

if TYPE_CHECKING:
    FaultRule = Rule  # a type checker cannot follow a union made from a table
else:
    FaultRule = Annotated[reduce(or_, FAULTS.values()), Field(discriminator="fault")]
InvariantId = Annotated[str, Field(pattern=r"^I-\d\d$")]
PLATFORM_NODES = 2
"""Platform nodes that any scenario may name; a design may run fewer, and then the fault touches nothing."""


class Text(Part):
    """The same words in both languages."""

    en: str = Field(min_length=1)
    """English."""

    zh: str = Field(min_length=1)
    """Chinese."""

    def to(self, lang: str) -> str:
        """The words in `lang`."""
        return self.zh if lang == "zh" else self.en


class Timing(Part):
    """The two phases of a run."""

    safety: Duration = 1_200_000_000
    """Users and faults; then the faults end."""

    deadline: Duration = 3_600_000_000
    """After that, everything must settle within this."""

    expiry: Duration = Field(900_000_000, gt=0)
    """An order that is not paid by then is closed."""


class Expectation(Part):
    """What a design does in this scenario: `holds`, or the invariants that it breaks."""

    violated: tuple[InvariantId, ...] = ()
    """Each must be seen broken in at least one run; empty means that all hold."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == "holds":
            return {}
        if not isinstance(value, dict):
            raise ValueError("write `holds` or `{violated: [I-02]}`")  # noqa: TRY004 - pydantic wants ValueError
        if not value.get("violated"):
            raise ValueError("write `holds` if nothing is violated")
        return value

    @property
    def holds(self) -> bool:
        return not self.violated


class Knobs(Part):
    """Settings of the platform that this storm needs; what is left out is the design's own choice."""

    nodes: int | None = Field(None, ge=1, le=16)
    """Platform nodes."""

    workers: int | None = Field(None, ge=1)
    """Requests that a node serves at once."""

    pool_size: int | None = Field(None, ge=1)
    """Database connections of a node."""

    replication: Literal["sync", "async"] | None = None
    """Whether a commit waits for the replica."""

    replica_lag: Duration | None = None
    """How far an asynchronous replica lags."""


class Scenario(Part):
    """One storm."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Its name, that of the file."""

    title: Text
    """A headline."""

    story: Text
    """Two or three sentences: what hurts whom."""

    catalogue: tuple[Annotated[str, Field(pattern=r"^[FCRS]-\d{2,3}$")], ...] = Field(min_length=1)
    """The rows of the catalogue it stands for."""

    races: tuple[Annotated[str, Field(pattern=r"^X-\d\d$")], ...] = ()
    """The known races it stands for."""

    workload: Workload
    """Who orders what, and when."""

    faults: tuple[FaultRule, ...] = ()
    """What goes wrong."""

    timing: Timing = Timing()
    """How long the phases last."""

    sometimes: tuple[str, ...] = ()
    """Situations that must occur in some run; a campaign that never met one is inconclusive."""

    expect: dict[str, Expectation] = Field(default_factory=dict)
    """What each design does; a design that is not named must hold."""

    knobs: Knobs = Knobs()
    """Settings of the platform that this storm needs."""

    speeds: Speeds = Speeds()
    """How fast the parts of the simulated world are."""

    swarm: bool = True
    """Whether even seeds blow a variation of this storm; false keeps every seed as written."""

    def platform_nodes(self) -> tuple[str, ...]:
        """Node names that a rule may give."""
        return tuple(f"platform-{number}" for number in range(1, (self.knobs.nodes or PLATFORM_NODES) + 1))

    def links(self) -> tuple[tuple[str, str], ...]:
        """Every link of the world, caller first. Payments are between people and channels: nothing of ours to cut."""
        channels, suppliers = self.workload.channels(), self.workload.suppliers()
        outward = ("database", "replica", *channels, *suppliers, "users")
        return (
            ("users", "edge"),
            *((party, "edge") for party in (*channels, *suppliers)),
            *(("edge", node) for node in self.platform_nodes()),
            *((node, party) for node in self.platform_nodes() for party in outward),
        )


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "dingfeng scenario"
    for part in schema["$defs"].values():
        for tag in ("fault", "shape"):
            if tag in part["properties"]:
                part["properties"][tag]["description"] = part["description"]
    expectation = schema["$defs"]["Expectation"]
    schema["$defs"]["Expectation"] = {
        "description": expectation["description"],
        "anyOf": [{"const": "holds"}, {**expectation, "required": ["violated"]}],
    }
    return schema
