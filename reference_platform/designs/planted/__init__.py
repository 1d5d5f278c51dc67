"""Designs with one known bug each, so that every checker can be seen to catch what it is for.

Each is a strong design with one part replaced, or one rule of its policy switched off. `CATCHES` names
the invariant that finds it first, `SCENARIO` the storm in which it shows, and `REAL` the reports of real
shops that it stands for. `python benchmarks/planted.py` runs them all.
"""
