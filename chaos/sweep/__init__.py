"""The sweep: every combination of up to k faults over the sites that a small workload reaches.

`vocabulary.py` says which faults, `ground.py` makes a case of a set of strikes and runs it, `search.py` walks
the tree of sets, `certifying.py` makes certificates and tries them. The certificate itself is plain data
(`chaos/certificate.py`). Why nothing is missed: docs/decisions/0015-sweep.md.
"""

from __future__ import annotations

from chaos.sweep.certifying import certify, verify
from chaos.sweep.ground import Ground
from chaos.sweep.search import Sweep, sweep

__all__ = ["Ground", "Sweep", "certify", "sweep", "verify"]
