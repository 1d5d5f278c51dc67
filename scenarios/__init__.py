"""What should happen, as pure data: who orders what, what goes wrong, what must be true all the same.

Start with `model.py`, what a scenario says; `workload.py` and `faults` are its two halves. `loading.py`
reads scenarios, `checking.py` compares the parts with each other; `documents.py` reads any YAML into a model,
`fields.py` finds the place of an error.
The shipped scenarios are in `library`. Nothing here imports the platform, the simulator or chaos.
"""
