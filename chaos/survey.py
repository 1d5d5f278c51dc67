"""A plan that also notes every site at which an actor asks: what *could* be struck in a run.

The nemesis looks each site up in the plan that it was given, and nowhere else; so the plan is the one place
that sees them all, retries included, in the order in which a run reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.history import History
    from sim.kernel import Kernel

Plan = dict[str, dict[str, Any]]


class Survey(Plan):
    """A plan for one run. `asked` gives for each site when it was first asked: time in µs, events so far.

    Rules in `always`, by their number, strike wherever they can, besides what the plan says.
    """

    def __init__(self, plan: Plan, always: Mapping[str, dict[str, Any]] | None = None) -> None:
        super().__init__(plan)
        self._always = always or {}
        self.asked: dict[str, tuple[int, int]] = {}

    def attach(self, kernel: Kernel, history: History) -> None:
        """Called by the nemesis of the run."""
        self._kernel = kernel
        self._history = history

    def get(self, site: str, default: Any = None) -> Any:
        """The effect at this site, and a note that it was asked for."""
        if site not in self.asked:
            self.asked[site] = (self._kernel.now, len(self._history.events))
        effect = super().get(site)
        return self._always.get(site.partition("/")[0], default) if effect is None else effect
