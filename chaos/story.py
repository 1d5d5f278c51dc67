"""Tells a failure in plain words: who, which order, how much money, what happened, what would have saved it.

The words are data: `story.yaml` here, and each invariant's title, witness sentences and remedy in
`checkers/texts.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from chaos.checkers.i30_compensation_exact import witness_of
from chaos.checkers.verdict import Verdict, Witness
from chaos.episodes import Episodes, Step, windows
from chaos.history import History
from chaos.oracle.debts import Finding

_HERE = Path(__file__).parent

_SEVERITY = (
    "I-01", "I-03", "I-04", "I-05", "I-06", "I-08", "I-07", "I-02", "I-22", "I-09", "I-11", "I-13",
    "I-21", "I-16", "I-29", "I-31", "I-30",
)  # fmt: skip
"""Among equals, what hurts most comes first: money, then goods, then promises; all others after these."""


@dataclass(frozen=True)
class Moment:
    """One line of the timeline. `lane` is user, platform, channel, supplier or stock."""

    t_us: int
    lane: str
    text: str


@dataclass(frozen=True)
class Story:
    """What a person would be told of one failure."""

    title: str
    sentences: tuple[str, ...]
    timeline: tuple[Moment, ...]
    money_fen: int
    saved_by: str
    order_id: str
    user: str
    invariant: str


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict to tell first: by money, then by members hurt, then by severity. There must be one."""

    def rank(verdict: Verdict) -> tuple[int, int, int]:
        members = {user: True for witness in verdict.witnesses for user in witness.users}
        name = verdict.invariant
        severity = _SEVERITY.index(name) if name in _SEVERITY else len(_SEVERITY)
        return verdict.amount_fen, len(members), -severity

    violated = [verdict for verdict in verdicts if verdict.outcome == "violated"]
    if not violated:
        raise ValueError("there is nothing to tell: no verdict is violated")
    return max(violated, key=rank)


def tell(history: History, told: Verdict | Finding, lang: str) -> Story:
    """The story of a violated verdict's worst witness, or of one finding of the audit; `lang` en or zh."""
    if isinstance(told, Finding):
        return _tell(history, "I-30", witness_of(told), lang)
    if not told.witnesses:
        raise ValueError(f"{told.invariant} has no witness to tell of")
    witness = max(told.witnesses, key=lambda one: (one.amount_fen, len(one.users), -one.t_us))
    return _tell(history, told.invariant, witness, lang)


def _tell(history: History, invariant: str, witness: Witness, lang: str) -> Story:
    words = _Words(lang)
    order_id = witness.id if witness.entity == "order" else str(witness.data.get("order_id", ""))
    episodes = Episodes(history, order_id)
    steps = episodes.steps(witness.events) if order_id else []
    user = ", ".join(witness.users) or (str(episodes.row["user"]) if episodes.row else "")
    who = words.who(witness.users or ((user,) if user else ()))
    saved_by = words.checker(invariant, "saved_by")
    sentences = (
        *_sentences(words, history, episodes, witness, who),
        *_verdict(words, invariant, witness, saved_by),
    )
    title = words(
        "title" if witness.amount_fen else "title_free",
        invariant=invariant,
        title=words.checker(invariant, "title"),
        money=yuan(witness.amount_fen),
        who=who,
    )
    return Story(
        title=title,
        sentences=sentences,
        timeline=tuple(Moment(step.t_us, step.lane, words.step(step)) for step in steps),
        money_fen=witness.amount_fen,
        saved_by=saved_by,
        order_id=order_id,
        user=user,
        invariant=invariant,
    )


def _sentences(words: _Words, history: History, episodes: Episodes, witness: Witness, who: str) -> list[str]:
    """Who bought what, what was paid, what the storm did, and how it ended."""
    row, order_id = episodes.row, episodes.order_id
    if not order_id:
        return [words("sentences.no_order", entity=witness.entity, id=witness.id)]
    said = []
    if row is None:
        said.append(words("sentences.stray", order=order_id))
    else:
        at, price = clock(episodes.placed_us), yuan(row["payable_fen"])
        said.append(
            words(
                "sentences.ordered",
                at=at, who=who, quantity=row["quantity"], sku=row["sku"], price=price, order=order_id,
            )
        )  # fmt: skip
    said.append(_payment(words, episodes))
    began_us = (
        episodes.placed_us if row is not None else (episodes.captures[0][0] if episodes.captures else 0)
    )
    faults = dict.fromkeys([*episodes.faults, *windows(history, began_us, max(witness.t_us, began_us))])
    if faults:
        said.append(words("sentences.faults", faults=words.listed(list(faults))))
    said += _ending(words, episodes)
    return said


def _ending(words: _Words, episodes: Episodes) -> list[str]:
    """What the member read in the end, if anybody looked."""
    final, row = episodes.final, episodes.row
    if final is None or row is None:
        return []
    if "error" in final:
        return [words("sentences.ended_unreadable")]
    return [
        words(
            "sentences.ended",
            status=final["status"],
            delivered=final["delivered_qty"],
            quantity=row["quantity"],
            refunded=yuan(final["refunded_fen"]),
        )
    ]


def _payment(words: _Words, episodes: Episodes) -> str:
    captures = episodes.captures
    if not captures:
        return words("sentences.unpaid")
    money = yuan(sum(fen for _, _, fen in captures))
    if len(captures) > 1:
        return words("sentences.paid_often", times=len(captures), money=money)
    t_us, charge, _ = captures[0]
    return words(
        "sentences.from_wallet" if charge == "wallet" else "sentences.paid_once", money=money, at=clock(t_us)
    )


def _verdict(words: _Words, invariant: str, witness: Witness, saved_by: str) -> list[str]:
    """What went wrong, and the remedy."""
    said = [words("sentences.wrong", text=words.witness(invariant, witness))]
    if saved_by:
        said.append(words("sentences.saved", text=saved_by))
    return said


# ---------------------------------------------------------------- words


class _Words:
    """The texts in one language."""

    def __init__(self, lang: str) -> None:
        self._lang = lang

    def __call__(self, path: str, /, **data: Any) -> str:
        entry: Any = _load("story.yaml")
        for part in path.split("."):
            entry = entry[part]
        return str(entry[self._lang]).format_map(data)

    def who(self, users: Sequence[str]) -> str:
        """The members concerned."""
        number = "none" if not users else "one" if len(users) == 1 else "some"
        return self(f"who.{number}", users=self.listed(users))

    def listed(self, names: Sequence[str]) -> str:
        """Names in a row."""
        return ("、" if self._lang == "zh" else ", ").join(names)

    def step(self, step: Step) -> str:
        """One step of the timeline."""
        data = {key: yuan(value) if key == "fen" else value for key, value in step.data.items()}
        text = self(f"steps.{step.key}", **data)
        return text if step.times == 1 else self("steps.times", text=text, times=step.times)

    def checker(self, invariant: str, what: str) -> str:
        """An invariant's title or remedy; its own id where this version has no words for it."""
        entry = _load("checkers/texts.yaml").get(invariant, {}).get(what)
        return str(entry[self._lang]) if entry else ""

    def witness(self, invariant: str, witness: Witness) -> str:
        """What a witness says, its data put in: `_fen` as yuan, `_us` as minutes and seconds."""
        entry = _load("checkers/texts.yaml").get(invariant, {}).get("witnesses", {}).get(witness.words)
        if entry is None:
            return f"{invariant} {witness.words} ({witness.id})"
        data = {"id": witness.id, "amount_fen": witness.amount_fen, **witness.data}
        shown = _Shown({key: self._shown(key, value) for key, value in data.items()})
        return str(entry[self._lang]).format_map(shown)

    def _shown(self, key: str, value: Any) -> Any:
        if key == "reason" and value in _load("oracle/texts.yaml")["reasons"]:
            return _load("oracle/texts.yaml")["reasons"][value][self._lang]
        if key.endswith("_fen"):
            return yuan(value)
        if key.endswith("_us"):
            return clock(value)
        return value


class _Shown(dict[str, Any]):
    """Data of a witness. A history of another version may lack some of it: the story is told all the same."""

    def __missing__(self, key: str) -> str:
        return "–"


@cache
def _load(name: str) -> Mapping[str, Any]:
    texts: Mapping[str, Any] = YAML(typ="safe", pure=True).load((_HERE / name).read_text("utf-8"))
    return texts


def yuan(fen: int) -> str:
    """1234 → 12.34."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def clock(t_us: int) -> str:
    """Minutes, seconds and milliseconds of the run: 83:02.500."""
    ms = t_us // 1000
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
