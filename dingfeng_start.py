"""From the shell to the first command: what can happen to a program there that is nobody's mistake.

Somebody presses Ctrl-C while Python still imports; the reader of the output goes away (`| head`), the output was
closed from the beginning, or its alphabet lacks the words. None of it may look like a verdict or like a bug.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

_INTERRUPTED = 130


class Output(io.TextIOWrapper):
    """A standard output that nobody has to read: when its reader is gone, what is left to say goes nowhere.

    So the exit code stays the verdict, however much of the text was wanted.
    """

    def write(self, text: str, /) -> int:
        """Write `text`, to nowhere if the reader is gone. Raises OSError for all else, such as a full disk."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._unread()
            return len(text)

    def flush(self) -> None:
        """Pass on what was written. Raises OSError as `write` does."""
        try:
            super().flush()
        except BrokenPipeError:
            self._unread()

    def _unread(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def standard_streams() -> None:
    """Make standard output and error such that writing to them fails only if the machine does."""
    # Python gives None for a stream that the shell has closed (`>&-`).
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    elif isinstance(sys.stdout, io.TextIOWrapper):
        said = sys.stdout
        said.flush()
        sys.stdout = Output(said.buffer, said.encoding, "replace", line_buffering=said.line_buffering)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process


def main() -> None:
    """The console script."""
    try:
        from dingfeng import main as front_door
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    front_door()
