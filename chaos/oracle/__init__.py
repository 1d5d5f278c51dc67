"""The oracle for compensations: what was owed, when and how much, against what was done.

Start with `audit.py`. `replay.py` turns a history into one timeline for each order; `make_good.py`,
`stray_money.py`, `wrong_goods.py` and `suspense.py` hold the rules, two functions each: what was
owed, and what was done about it; `matching.py` compares. `law.py` has the numbers, `blocked.py` the
times at which deadlines stood still. Nothing here knows how the platform compensates.
"""
