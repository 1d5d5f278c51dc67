"""One contract for every implementation of the database port. Start with `worlds.py`."""
