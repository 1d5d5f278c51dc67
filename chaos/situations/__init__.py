"""Situations that a scenario can demand to have met, so that a green result means something.

Start with `watch.py`: `Situations` reads the history as it streams by. `callbacks.py`, `repairs.py`
and `surroundings.py` hold the predicates; titles in both languages are in `chaos/situations.yaml`.
"""

from chaos.situations.watch import NAMES, Situations

__all__ = ["NAMES", "Situations"]
