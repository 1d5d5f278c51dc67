"""Single messages are struck in the process that has one end of their link, by draws keyed as everywhere.

Each such process has a nemesis of its own, made from the same rules and seed, and writes down what it struck.
"""

from __future__ import annotations

from chaos.live.settings import Storm
from chaos.messages import Messages
from chaos.nemesis import Nemesis
from chaos.opening import Opening
from reference_platform import designs
from sim.counterparties.host import Timers
from sim.recorder import Recorder


def messages(settings: Storm, timers: Timers, history: Recorder) -> Messages:
    """What becomes of messages that this process sends or takes."""
    opening = Opening(settings.model(), designs.load(settings.design), settings.seed)
    nemesis = Nemesis(
        opening.scenario.faults,
        kernel=timers,
        streams=opening.streams,
        history=history,
        heal_us=opening.heal_us,
        plan=settings.plan,
    )
    return Messages(nemesis, opening.streams)
