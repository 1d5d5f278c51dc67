"""A plan that also notes every site at which an actor asks: what *could* be struck in a run.

The nemesis looks each site up in the plan that it was given, and nowhere else; so the plan is the one place
that sees them all, retries included, in the order in which a run reaches them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.history import History
    from sim.kernel import Kernel


class Survey(dict[str, dict[str, Any]]):
    """A plan for one run. `asked` gives for each site when it was first asked: time in µs, events so far."""

    def __init__(self, plan: dict[str, dict[str, Any]]) -> None:
        super().__init__(plan)
        self.asked: dict[str, tuple[int, int]] = {}

    def attach(self, kernel: Kernel, history: History) -> None:
        """Called by the nemesis of the run."""
        self._kernel = kernel
        self._history = history

    def get(self, site: str, default: Any = None) -> Any:
        """The effect at this site, and a note that it was asked for."""
        if site not in self.asked:
            self.asked[site] = (self._kernel.now, len(self._history.events))
        return super().get(site, default)
