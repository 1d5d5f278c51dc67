"""A campaign in a terminal: the verdict table, what failed, and the line that replays it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from chaos.checkers.verdict import Verdict
from chaos.history import History
from chaos.results import Campaign, CellSummary, Run
from reports.titles import Titles
from reports.words import clock

WIDTH_WITHOUT_TERMINAL = 110
_STYLES = {
    "holds": "green",
    "as expected": "green",
    "not run": "dim",
    "inconclusive": "yellow",
    "violated": "red",
    "not violated": "red",
    "broken": "bold red",
}
_STYLE_OF = {"holds": "holds", "unknown": "inconclusive", "violated": "violated"}
_SAME = {
    None: {"en": "", "zh": ""},
    True: {"en": ", the same as recorded", "zh": "，与记录一致"},
    False: {"en": ", NOT as recorded: the code has changed since", "zh": "，与记录不一致：代码已经变了"},
}
_LANES: dict[str, dict[str, str]] = {
    "en": {},
    "zh": {
        "user": "用户",
        "platform": "平台",
        "channel": "渠道",
        "supplier": "供应商",
        "stock": "库存",
        "fault": "故障",
    },
}
_OUTCOMES = {
    "en": {name: name for name in _STYLES},
    "zh": {
        "holds": "守住",
        "as expected": "如预期违反",
        "not run": "未运行",
        "inconclusive": "无定论",
        "violated": "违反",
        "not violated": "未见预期的违反",
        "broken": "测试台故障",
    },
}
_WORDS = {
    "en": {
        "scenario": "scenario",
        "design": "design",
        "outcome": "outcome",
        "violated": "violated",
        "runs": "runs",
        "digest": "digest",
        "events": "events",
        "look": "Expected failures, one of each to look at:",
        "report": "To read more: dingfeng report {path}",
        "interrupted": "interrupted: {done} runs are kept in {path}",
        "done": "{done} runs in {wall:.1f} s ({rate:.0f} seeds/s), results in {path}",
    },
    "zh": {
        "scenario": "场景",
        "design": "方案",
        "outcome": "结论",
        "violated": "被违反",
        "runs": "次数",
        "digest": "摘要",
        "events": "个事件",
        "look": "预期的失败，各看一例：",
        "report": "详细报告：dingfeng report {path}",
        "interrupted": "已中断：{done} 次运行的结果保存在 {path}",
        "done": "{done} 次运行，用时 {wall:.1f} 秒（每秒 {rate:.0f} 个种子），结果在 {path}",
    },
}


def console(stream: TextIO | None = None) -> Console:
    """A console that is plain and wide enough when nobody watches. Rich itself honours NO_COLOR."""
    file = stream or sys.stdout
    width = None if file.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(file=file, width=width, highlight=False, soft_wrap=False)


def show_campaign(campaign: Campaign, path: str, lang: str, out: Console) -> None:
    """The table; why each cell is not as it should be, with a replay line for each kind of failure.

    Where failures are expected, one line shows how to look at one.
    """
    words = _WORDS[lang]
    out.print(_table(campaign.cells, lang))
    for cell in campaign.cells:
        if cell.outcome in ("violated", "not violated", "inconclusive", "broken"):
            name = f"{cell.scenario} × {cell.design}"
            out.print(f"\n[{_STYLES[cell.outcome]}]{_OUTCOMES[lang][cell.outcome]}[/] {name}")
            for reason in cell.reasons:
                out.print(f"  {reason}", markup=False)
            for token in cell.replay:
                out.print(f"  dingfeng replay {token}", soft_wrap=True, markup=False)
    expected = [cell.replay[0] for cell in campaign.cells if cell.outcome == "as expected"]
    if expected:
        out.print(f"\n{words['look']}")
        for token in expected:
            out.print(f"  dingfeng replay {token}", soft_wrap=True, markup=False)
    done = sum(cell.runs for cell in campaign.cells)
    line = words["interrupted" if campaign.interrupted else "done"]
    rate = done / max(campaign.wall_s, 1e-9)
    out.print("\n" + line.format(done=done, wall=campaign.wall_s, rate=rate, path=path), soft_wrap=True)
    out.print(words["report"].format(path=path), soft_wrap=True)


def _table(cells: Sequence[CellSummary], lang: str) -> Table:
    words = _WORDS[lang]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scenario", "design", "outcome", "violated"):
        table.add_column(words[name], overflow="fold")
    table.add_column(words["runs"], justify="right")
    for cell in cells:
        outcome = f"[{_STYLES[cell.outcome]}]{_OUTCOMES[lang][cell.outcome]}[/]"
        violated = " ".join(_how_often(name, count, cell.runs) for name, count in cell.violated.items())
        table.add_row(cell.scenario, cell.design, outcome, violated, str(cell.runs))
    return table


def _how_often(invariant: str, count: int, runs: int) -> str:
    """`I-02` if every run broke it, else `I-02 (3)`, which does not break across lines."""
    return invariant if count == runs else f"{invariant}\u00a0({count})"


def show_verdicts(verdicts: Sequence[Verdict], lang: str, out: Console) -> None:
    """What one run broke or left undecided: how often, and the gravest case in words."""
    titles = Titles(lang)
    for verdict in verdicts:
        if verdict.outcome == "holds":
            continue
        style = _STYLES[_STYLE_OF[verdict.outcome]]
        how_often = f"({verdict.count}/{verdict.checked})"
        out.print(f"[{style}]{verdict.invariant}[/] {titles.invariant(verdict.invariant)} {how_often}")
        if verdict.witnesses:
            gravest = max(verdict.witnesses, key=lambda witness: witness.amount_fen)
            out.print(f"  {titles.witness(verdict.invariant, gravest)}", markup=False)


def show_replay(
    run: Run, history: History, verdicts: Sequence[Verdict], same: bool | None, lang: str, out: Console
) -> None:
    """One run: how it ended, what it broke, and the worst story in plain words, step by step."""
    outcome = _STYLE_OF[run.outcome]
    style, word = _STYLES[outcome], _OUTCOMES[lang][outcome]
    out.print(f"{run.scenario} × {run.design}, seed {run.seed}: [{style}]{word}[/]")
    show_verdicts(verdicts, lang, out)
    if any(verdict.outcome == "violated" for verdict in verdicts):
        from chaos.story import tell, worst

        story = tell(history, worst(verdicts), lang)
        out.print(f"\n[bold]{story.title}[/]")
        steps = Table(box=None, show_header=False, pad_edge=False)
        for moment in story.timeline:
            steps.add_row(clock(moment.t_us), _LANES[lang].get(moment.lane, moment.lane), moment.text)
        out.print(steps)
        for sentence in story.sentences[-2:]:
            out.print(sentence, markup=False)
    out.print(
        f"\n{_WORDS[lang]['digest']} {run.digest}, {run.events} {_WORDS[lang]['events']}{_SAME[same][lang]}"
    )


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

    total: int
    done: int
    failing: int

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
        self._progress.update(self._task, completed=state.done, failing=state.failing, rate=state.rate_per_s)

    def _open(self, total: int) -> tuple[Progress, TaskID]:
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failing]} failing · {task.fields[rate]:.0f} seeds/s"),
            TimeRemainingColumn(),
        )
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        progress.start()
        return progress, progress.add_task("runs", total=total, failing=0, rate=0.0)

    def close(self) -> None:
        """Wipe it from the screen."""
        if self._progress is not None:
            self._progress.stop()
