"""Random numbers that depend on seed and connection, never on the order in which things happen.

A draw is keyed by proxy, number of the connection, direction and name of the toxic, and by how many draws that
toxic has made there. So a server started with the same seed does the same to the connection of the same number,
whatever else goes on. Upstream's `-seed` has no effect; this one is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.randomness import Streams


@dataclass(slots=True)
class Draws:
    """The draws of one toxic on one direction of one connection."""

    streams: Streams
    site: tuple[str, int, str, str]  # proxy, connection, direction, toxic
    made: int = 0

    def hit(self, toxicity: float) -> bool:
        """Whether the toxic is in force here. Rolled once: a later toxicity is held against the same roll."""
        return self.streams.uniform("toxicity", *self.site) < toxicity

    def around(self, spread: int) -> int:
        """A whole number from -spread up to, not including, +spread; 0 when there is no spread."""
        if spread <= 0:
            return 0
        self.made += 1
        return self.streams.integer("spread", -spread, spread - 1, *self.site, self.made)
