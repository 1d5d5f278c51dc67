"""The states of a transaction. One that never sent a statement costs the server nothing."""

from __future__ import annotations

from typing import Final

NEW: Final = 0  # no statement yet
ACTIVE: Final = 1  # has a connection
FAILED: Final = 2  # a statement failed: all is undone, the connection is still held
COMMITTING: Final = 3  # commit is on its way
DONE: Final = 4  # committed or rolled back
LOST: Final = 5  # its session was killed
