"""A sweep in a terminal: how far it has come, and in the end what the certificate says."""

from __future__ import annotations

import shlex
from typing import Any, Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from chaos.certificate import Certificate
from chaos.words import Words
from reports import TEXTS

SHOWN = 5


class Standing(Protocol):
    """Where a sweep stands (`chaos.sweep.search.Standing`)."""

    @property
    def done(self) -> int: ...

    @property
    def known(self) -> int: ...

    @property
    def faults(self) -> int: ...

    @property
    def violated(self) -> int: ...

    @property
    def rate_per_s(self) -> float: ...


class SweepBar:
    """Runs done of those known so far, on standard error. It starts late, so that workers are forked first."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def show(self, state: Standing) -> None:
        """Draw where the sweep stands."""
        if self._progress is None:
            columns = (
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(
                    "{task.fields[faults]} at a time · {task.fields[violated]} violated · "
                    "{task.fields[rate]:.0f} runs/s"
                ),
                TimeRemainingColumn(),
            )
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
            self._task = self._progress.add_task("runs", faults=0, violated=0, rate=0.0)
        self._progress.update(
            self._task,
            completed=state.done,
            total=state.known,
            faults=state.faults,
            violated=state.violated,
            rate=state.rate_per_s,
        )

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._progress is not None:
            self._progress.stop()


def show_certificate(
    certificate: Certificate, file: str, lang: str, out: Console, *, cut_short: bool
) -> None:
    """What was tried, what came of it, and the first sets of faults that broke something."""
    words = Words(lang, TEXTS)
    name = words("sweep.name", workload=certificate.workload, design=certificate.design, k=certificate.k)
    out.print(f"{name}{words('figure.colon')}{_outcome(certificate, words, cut_short=cut_short)}")
    for level in certificate.levels:
        led = words("sweep.twins", twins=level.twins) if level.twins else ""
        out.print("  " + words("sweep.level", faults=level.faults, runs=level.runs) + led)
    for invariant, count in certificate.violated.items():
        out.print("  " + words("sweep.broken", invariant=invariant, runs=count))
    for invariant, count in certificate.unknown.items():
        out.print("  " + words("sweep.open", invariant=invariant, runs=count))
    for one in certificate.violations[:SHOWN]:
        out.print(f"\n{' '.join(one.violated)}", style="red")
        for strike in one.strikes:
            out.print(f"  {strike}", markup=False, soft_wrap=True)
    if len(certificate.violations) > SHOWN:
        out.print("\n" + words("sweep.more", n=len(certificate.violations) - SHOWN))
    rate = f"{certificate.runs / max(certificate.wall_s, 1e-9):,.0f}"
    out.print("\n" + words("sweep.done", runs=certificate.runs, wall=f"{certificate.wall_s:.1f}", rate=rate))
    if cut_short:
        out.print(words("sweep.cut_short"))
    if file:
        out.print(words("sweep.file", file=file), soft_wrap=True, markup=False)
        out.print(f"  dingfeng doctor --certificate {shlex.quote(file)}", soft_wrap=True, markup=False)


def _outcome(certificate: Certificate, words: Words, *, cut_short: bool) -> str:
    if certificate.clean:
        return words("sweep.so_far") if cut_short else f"[green]{words('sweep.holds')}[/]"
    if certificate.violated:
        return f"[red]{words('sweep.violated')}[/]"
    return f"[yellow]{words('sweep.undecided')}[/]"


def as_data(certificate: Certificate, file: str, *, cut_short: bool) -> dict[str, Any]:
    """For programs: the certificate without its samples, where it is, and whether it is whole."""
    told = msgspec.to_builtins(certificate)
    for level in told["levels"]:
        del level["sample"]
    return {"file": file, "clean": certificate.clean, "cut_short": cut_short, "certificate": told}
