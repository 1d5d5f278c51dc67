"""The release gate: a policy and the results of campaigns in, a decision out.

Start with `policy.py` (what is demanded) and `judging.py` (how it is decided). `evidence.py` joins the
results; `strength.py` says what numbers allow, `limits.py`, `comparison.py` and `certificates.py` judge their
parts; `writing.py` and `terminal.py` say it to machines and people.
"""
