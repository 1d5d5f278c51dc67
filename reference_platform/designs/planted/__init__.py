"""Designs with one known bug each, so that every checker can be seen to catch what it is for.

Each is a strong design with one part replaced, or one rule of its policy switched off. `CATCHES` names
the invariant that finds it first, `SCENARIO` the storm in which it shows, and `REAL` the reports of real
shops that it stands for. `python benchmarks/planted.py` runs them all.
"""

from __future__ import annotations

import pkgutil
import sys
from types import ModuleType


class Planted(ModuleType):
    """This package, callable like the function `designs.planted` whose name it takes when it is imported.

    The import system binds a package in its parent, so after the first planted design is loaded,
    `designs.planted` is this module and `designs.load` calls it.
    """

    def __call__(self) -> tuple[str, ...]:
        return tuple(sorted(f"planted.{module.name}" for module in pkgutil.iter_modules(self.__path__)))


sys.modules[__name__].__class__ = Planted
