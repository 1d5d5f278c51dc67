"""`python -m chaos.toxiproxy`: the server alone, without the front door; the live world starts it so."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from chaos.toxiproxy.server import CannotServe, Options, serve


def main() -> int:
    """Returns the exit code: 0 after SIGTERM, 130 after Ctrl-C, 2 when the server cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m chaos.toxiproxy", description=__doc__)
    parser.add_argument("--host", default=Options.host)
    parser.add_argument("--port", type=int, default=Options.port)
    parser.add_argument("--seed", type=int, default=Options.seed)
    parser.add_argument("--config", type=Path)
    given = parser.parse_args()
    options = Options(given.host, given.port, given.seed, given.config)
    try:
        ended = serve(options, lambda url: print(url, flush=True))  # noqa: T201 - its one line
    except CannotServe as error:
        print(f"toxiproxy: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 130 if ended == signal.SIGINT else 0


if __name__ == "__main__":
    sys.exit(main())
