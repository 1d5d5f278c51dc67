"""How fast the parts of the simulated world are while nothing is wrong.

The defaults are a platform in one data centre and people on mobile phones. `dingfeng agree` measures real parts
and writes a file of this form.
"""

from __future__ import annotations

from scenarios.durations import Duration
from scenarios.workload import Part


class Speeds(Part):
    """Times that each part takes. In the live world the parts are as fast as they are."""

    statement: Duration = 500
    """A statement of a transaction, there and back."""

    commit: Duration = 500
    """A commit, there and back; it takes effect halfway."""

    service: Duration = 0
    """What a platform node works on a request, waiting for others left out."""

    users: Duration = 15_000
    """From people to the platform, one way."""

    counterparty: Duration = 20_000
    """Between the platform and a channel or supplier, one way."""

    notice: Duration = 40_000
    """From the platform to somebody's phone."""
