"""Makes a failing case small: fewer orders, fewer faults, plainer settings, the same failure.

Start at `shrinker.py`. A *case* is data (`chaos.replay.Case`), so every cut is a smaller case that is run:
`trials.py` runs each one once and keeps it if the same invariant breaks for the same kind of thing
(`signature.py`). `search.py` says in which order things are left out; `cast.py`, `blows.py` and
`setting.py` are the passes over orders, faults and the scenario. The rest tells what was found:
`nearest.py` and `difference.py` beside a run that passes, `generated.py` as a test, `output.py` on disk.
"""
