"""The fault vocabulary: one model for each fault, the same names in YAML, history and reports.

Start with `rule.py`, what every rule may say; the other modules list the faults by what they hit.
"""

from __future__ import annotations

from typing import get_args

from scenarios.faults.channel import CHANNEL_FAULTS
from scenarios.faults.link import LINK_FAULTS
from scenarios.faults.machines import MACHINE_FAULTS
from scenarios.faults.rule import Rule
from scenarios.faults.supplier import SUPPLIER_FAULTS
from scenarios.faults.user import USER_FAULTS

_ALL: tuple[type[Rule], ...] = (
    *LINK_FAULTS,
    *MACHINE_FAULTS,
    *CHANNEL_FAULTS,
    *SUPPLIER_FAULTS,
    *USER_FAULTS,
)
FAULTS: dict[str, type[Rule]] = {get_args(kind.model_fields["fault"].annotation)[0]: kind for kind in _ALL}
"""Every fault by name."""
