"""Shrinking in a terminal: how far it has come while it goes on, and what is left in the end."""

from __future__ import annotations

from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from chaos.shrink.sheet import Sheet


class Standing(Protocol):
    """Where shrinking stands (`chaos.shrink.trials.Standing`)."""

    @property
    def runs(self) -> int: ...
    @property
    def budget(self) -> int: ...
    @property
    def faults(self) -> int: ...
    @property
    def orders(self) -> int: ...
    @property
    def doing(self) -> str: ...


class ShrinkBar:
    """Progress on a terminal's standard error."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def show(self, state: Standing) -> None:
        """Draw where shrinking stands."""
        if self._progress is None:
            told = "{task.fields[faults]} faults · {task.fields[orders]} orders left · {task.fields[doing]}"
            columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TextColumn(told))
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
            self._task = self._progress.add_task("", total=state.budget, faults=0, orders=0, doing="")
        self._progress.update(
            self._task, completed=state.runs, faults=state.faults, orders=state.orders, doing=state.doing
        )

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._progress is not None:
            self._progress.stop()


def show_shrunk(sheet: Sheet, out: Console) -> None:
    """What is left, what happens in it, where a passing run does otherwise, how to run it again."""
    for line in sheet.size:
        out.print(line, markup=False)
    out.print(f"\n[bold]{sheet.storm_head}[/]")
    for fault in sheet.storm:
        out.print(f"  {fault}", markup=False)
    out.print(f"\n[bold]{sheet.story_head}[/]")
    out.print(sheet.title, markup=False)
    steps = Table(box=None, show_header=False, pad_edge=False)
    for column in sheet.steps:
        steps.add_row(*column)
    out.print(steps)
    for sentence in sheet.sentences[-2:]:
        out.print(sentence, markup=False)
    out.print(f"\n[bold]{sheet.parting}[/]")
    if sheet.rows:
        out.print(_side_by_side(sheet))
    out.print(f"\n[bold]{sheet.replay_head}[/]")
    for line in sheet.replay:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    out.print(f"[bold]{sheet.test_head}[/]\n  {sheet.test}", soft_wrap=True)


def _side_by_side(sheet: Sheet) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in sheet.heads:
        table.add_column(head, overflow="fold", ratio=1)
    for shared in sheet.shared:
        table.add_row(*shared, style="dim")
    for row in sheet.rows:
        table.add_row(*row)
    return table
