"""What was asked and what became of it: a line of JSON a request, and one for whatever was refused unread.

Bodies, query strings and tokens never enter the log. Whatever a caller wrote (a path, a request id)
is cut to a bounded length and escaped, so nobody can forge a line.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

PATH_CHARACTERS_MAX: Final = 200
TRACE_CHARACTERS_MAX: Final = 8_000


@dataclass(slots=True)
class Entry:
    """One request on its way to a line of the log. `code` and `why` are set when it is refused."""

    request_id: str
    method: str
    path: str
    began_us: int
    user: str = ""
    action: str = ""
    status: int = 0
    code: str = ""
    why: str = ""


class Log:
    """Writes lines. `now_us` is the platform's clock; `write` takes one line with its end.

    `met` hears of every bug, after it was written down.
    """

    def __init__(
        self,
        node: str,
        now_us: Callable[[], int],
        write: Callable[[bytes], object],
        met: Callable[[BaseException], object] = lambda _: None,
    ) -> None:
        self._node = node
        self._write = write
        self._met = met
        self.now_us = now_us

    def done(self, entry: Entry) -> None:
        """A request was answered."""
        status = entry.status
        said: dict[str, Any] = {
            "event": "served" if 200 <= status < 400 else "refused",
            "request_id": entry.request_id,
            "method": entry.method[:16],
            "path": entry.path[:PATH_CHARACTERS_MAX],
            "status": status,
            "us": self.now_us() - entry.began_us,
        }
        for name in ("user", "action", "code", "why"):
            if value := getattr(entry, name):
                said[name] = value
        self._line(said)

    def unread(self, code: str, peer: str, why: str) -> None:
        """A connection was cut, or answered, before there was a request to speak of."""
        self._line({"event": "refused", "code": code, "peer": peer, "why": why})

    def died(self, task: str, error: BaseException) -> None:
        """Background work tripped over the world."""
        self._line({"event": "died", "task": task, "why": repr(error)[:TRACE_CHARACTERS_MAX]})

    def bug(self, where: str, error: BaseException) -> None:
        """Something broke in the platform itself."""
        trace = "".join(traceback.format_exception(error))
        self._line({"event": "bug", "where": where, "trace": trace[-TRACE_CHARACTERS_MAX:]})
        self._met(error)

    def _line(self, said: dict[str, Any]) -> None:
        line = json.dumps({"at_us": self.now_us(), "node": self._node, **said}) + "\n"
        self._write(line.encode("ascii"))  # json escapes everything else
