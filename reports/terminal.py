"""A campaign in a terminal: the verdict table, what failed, and the line that replays it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from itertools import chain
from typing import Protocol, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from chaos.checkers.verdict import Verdict
from chaos.history import History
from chaos.results import Campaign, CellSummary, Run
from chaos.tally import replay_command
from chaos.titles import Titles, gravest
from chaos.words import Words, clock
from reports import TEXTS

WIDTH_WITHOUT_TERMINAL = 110
_NARROW = 80
"""Columns of a terminal below which the table has no room for two broken invariants side by side."""

_LOOKS = {
    "holds": ("holds", "green"),
    "as expected": ("expected", "green"),
    "not run": ("none", "dim"),
    "inconclusive": ("inconclusive", "yellow"),
    "violated": ("violated", "red"),
    "not violated": ("unseen", "red"),
    "broken": ("broken", "bold red"),
}
"""Of each outcome its word, among the cells of the page, and its style."""

_OUTCOME_OF = {"holds": "holds", "unknown": "inconclusive", "violated": "violated"}
_REPEATED = {True: "same", False: "differs"}


def console(stream: TextIO | None = None) -> Console:
    """A console that is plain and wide enough when nobody watches. Rich itself honours NO_COLOR."""
    file = stream or sys.stdout
    width = None if file.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(file=file, width=width, highlight=False, emoji=False, soft_wrap=False)


def show_campaign(campaign: Campaign, path: str, lang: str, out: Console) -> None:
    """The table; why each cell is not as it should be, with a replay line for each kind of failure.

    Where failures are expected, one line shows how to look at one.
    """
    words = Words(lang, TEXTS)
    out.print(_table(campaign.cells, words, out.width))
    for cell in campaign.cells:
        if cell.outcome in ("violated", "not violated", "inconclusive", "broken"):
            out.print(f"\n{_outcome(cell.outcome, words)} {cell.scenario} × {cell.design}")
            for reason in cell.reasons:
                out.print(f"  {reason}", markup=False)
            for token in cell.replay:
                out.print(f"  {replay_command(token, campaign.world)}", soft_wrap=True, markup=False)
    expected = [cell.replay[0] for cell in campaign.cells if cell.outcome == "as expected"]
    if expected:
        out.print(f"\n{words('terminal.look')}")
        for token in expected:
            out.print(f"  {replay_command(token, campaign.world)}", soft_wrap=True, markup=False)
    done = sum(cell.runs for cell in campaign.cells)
    a_second = done / max(campaign.wall_s, 1e-9)
    rate = f"{a_second:,.0f}" if a_second >= 10 else f"{a_second:.2g}"
    if campaign.interrupted:
        line = words.count("terminal.interrupted", done, path=path)
    else:
        runs = words.count("sentence.runs", done)
        line = words(
            "terminal.done",
            runs=runs,
            behaviours=campaign.behaviours,
            wall=f"{campaign.wall_s:.1f}",
            rate=rate,
            path=path,
        )
    out.print(f"\n{line}", soft_wrap=True, markup=False)
    out.print(words("terminal.report", path=shlex.quote(path)), soft_wrap=True, markup=False)


def _outcome(name: str, words: Words) -> str:
    """The outcome's word in its colour."""
    word, style = _LOOKS[name]
    return f"[{style}]{words('cell.' + word)}[/]"


def _table(cells: Sequence[CellSummary], words: Words, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    broken = [[_how_often(name, count, cell.runs) for name, count in cell.violated.items()] for cell in cells]
    for name in ("scenario", "design", "result"):
        table.add_column(words(f"column.{name}"), overflow="fold")
    longest = max(map(len, chain([words("column.violated")], *broken)))
    table.add_column(words("column.violated"), width=longest if width < _NARROW else None, min_width=longest)
    for name in ("runs", "behaviours"):
        table.add_column(words(f"column.{name}"), justify="right", no_wrap=True)
    for cell, phrases in zip(cells, broken, strict=True):
        numbers = f"{cell.runs:,}", f"{cell.behaviours:,}"
        table.add_row(cell.scenario, cell.design, _outcome(cell.outcome, words), _Unbroken(phrases), *numbers)
    return table


def _how_often(invariant: str, count: int, runs: int) -> str:
    """`I-02` if every run broke it, else `I-02 (3)`."""
    return invariant if count == runs else f"{invariant} ({count})"


class _Unbroken:
    """Phrases in as many lines as it takes; a line never ends inside of one. Rich breaks at any space, even no-break ones."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = phrases

    def __rich_measure__(self, _console: Console, _options: ConsoleOptions) -> Measurement:
        lengths = [len(phrase) for phrase in self._phrases] or [0]
        return Measurement(max(lengths), sum(lengths) + len(lengths) - 1)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [""]
        for phrase in self._phrases:
            longer = f"{lines[-1]} {phrase}".lstrip()
            if len(longer) > options.max_width and lines[-1]:
                lines.append(phrase)
            else:
                lines[-1] = longer
        yield Text("\n".join(lines))


def show_verdicts(verdicts: Sequence[Verdict], lang: str, out: Console) -> None:
    """What one run broke or left undecided: how often, and the gravest case in words."""
    words, titles = Words(lang, TEXTS), Titles(lang)
    for verdict in verdicts:
        if verdict.outcome == "holds":
            continue
        _, style = _LOOKS[_OUTCOME_OF[verdict.outcome]]
        title = titles.invariant(verdict.invariant)
        how_often = words(f"terminal.{verdict.outcome}", count=verdict.count, checked=verdict.checked)
        out.print(f"[{style}]{verdict.invariant}[/] {title}{how_often}")
        told = gravest(verdict, titles)
        if told is not None:
            out.print(f"  {titles.witness(verdict.invariant, told)}", markup=False)


def show_replay(
    run: Run, history: History, verdicts: Sequence[Verdict], same: bool | None, lang: str, out: Console
) -> None:
    """One run: how it ended, the worst story in plain words, step by step, and all else that it broke."""
    words = Words(lang, TEXTS)
    name = words("figure.sheet", scenario=run.scenario, design=run.design, seed=run.seed)
    out.print(f"{name}{words('figure.colon')}{_outcome(_OUTCOME_OF[run.outcome], words)}")
    if any(verdict.outcome == "violated" for verdict in verdicts):
        _show_story(history, verdicts, words, out)
    if any(verdict.outcome != "holds" for verdict in verdicts):
        out.print(f"\n[bold]{words('terminal.all_broken')}[/]")
        show_verdicts(verdicts, lang, out)
    again = words(f"terminal.{_REPEATED[same]}") if same is not None else ""
    out.print("\n" + words("terminal.digest", digest=run.digest, events=f"{run.events:,}") + again)


def _show_story(history: History, verdicts: Sequence[Verdict], words: Words, out: Console) -> None:
    """What a person asks first: who lost what, then how it came, then what would have saved it."""
    from chaos.story import tell, worst

    story = tell(history, worst(verdicts), words.lang)
    remedy = story.sentences[-1:] if story.saved_by else ()
    out.print(f"\n{story.title}", style="bold", markup=False)
    for sentence in story.sentences[: len(story.sentences) - len(remedy)]:
        out.print(sentence, markup=False)
    if story.timeline:
        steps = Table(box=None, show_header=False, pad_edge=False)
        steps.add_column(justify="right")
        for moment in story.timeline:
            steps.add_row(clock(moment.t_us), words.named("lane", moment.lane), Text(moment.text))
        out.print()
        out.print(steps)
        out.print()
    for sentence in remedy:
        out.print(sentence, markup=False)


def show_names(entries: Sequence[tuple[str, str]], out: Console) -> None:
    """Names and what they mean, in two columns."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for name, title in entries:
        table.add_row(name, title)
    out.print(table)


def show_finding(subject: str, seen: str, out: Console, *, good: bool) -> None:
    """One line of the doctor's."""
    mark = "[green]ok[/]   " if good else "[red]wrong[/]"
    out.print(f"{mark} {subject}: {seen}", soft_wrap=True)


class Standing(Protocol):
    """Where a campaign stands (`chaos.campaign.Progress`)."""

    @property
    def total(self) -> int: ...

    @property
    def done(self) -> int: ...

    @property
    def failing(self) -> int: ...

    @property
    def behaviours(self) -> int: ...

    @property
    def rate_per_s(self) -> float: ...


class ProgressBar:
    """Progress on a terminal's standard error. It starts late, so that workers are forked before its thread."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def show(self, state: Standing) -> None:
        """Draw where the campaign stands."""
        if self._progress is None:
            self._progress, self._task = self._open(state.total)
        self._progress.update(
            self._task,
            completed=state.done,
            behaviours=state.behaviours,
            failing=state.failing,
            rate=state.rate_per_s,
        )

    def _open(self, total: int) -> tuple[Progress, TaskID]:
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(
                "{task.fields[behaviours]} behaviours · {task.fields[failing]} failing · "
                "{task.fields[rate]:.0f} seeds/s"
            ),
            TimeRemainingColumn(),
        )
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        progress.start()
        return progress, progress.add_task("runs", total=total, behaviours=0, failing=0, rate=0.0)

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._progress is not None:
            self._progress.stop()
