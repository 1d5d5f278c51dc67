"""Tells a failure in plain words: who, which order, how much money, what happened, what would have saved it.

It opens with who lost what. The words are data: `story.yaml` here, each invariant's title, witness
sentences and remedy in `checkers/texts.yaml`, and the names of faults, statuses and the like in `words.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.checkers.i30_compensation_exact import witness_of
from chaos.checkers.verdict import Verdict, Witness
from chaos.episodes import Episodes, Step, windows
from chaos.history import History
from chaos.oracle.debts import Finding
from chaos.titles import Titles, gravest
from chaos.words import Words, moment, yuan

_TEXTS = Path(__file__).with_name("story.yaml")
_NAMES = ("fault", "status", "topic", "action", "answer", "ticket")
"""Data of a step that names something with a word of its own."""

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
    """The verdict to tell first: a loss before a risk, then by money, members hurt, severity. There must be one."""
    titles = Titles("en")

    def rank(verdict: Verdict) -> tuple[bool, int, int, int]:
        members = {user: True for witness in verdict.witnesses for user in witness.users}
        name = verdict.invariant
        severity = _SEVERITY.index(name) if name in _SEVERITY else len(_SEVERITY)
        told = gravest(verdict, titles)
        lost = told is not None and bool(titles.loser(name, told))
        return lost, verdict.amount_fen, len(members), -severity

    violated = [verdict for verdict in verdicts if verdict.outcome == "violated"]
    if not violated:
        raise ValueError("there is nothing to tell: no verdict is violated")
    return max(violated, key=rank)


def tell(history: History, told: Verdict | Finding, lang: str) -> Story:
    """The story of a violated verdict's worst witness, or of one finding of the audit; `lang` en or zh."""
    teller = _Teller(lang)
    if isinstance(told, Finding):
        return teller.tell(history, "I-30", witness_of(told))
    witness = gravest(told, teller.titles)
    if witness is None:
        raise ValueError(f"{told.invariant} has no witness to tell of")
    return teller.tell(history, told.invariant, witness)


class _Teller:
    """Tells in one language."""

    def __init__(self, lang: str) -> None:
        self.words = Words(lang, _TEXTS)
        self.titles = Titles(lang)

    def tell(self, history: History, invariant: str, witness: Witness) -> Story:
        """The story of one witness."""
        order_id = witness.id if witness.entity == "order" else str(witness.data.get("order_id", ""))
        episodes = Episodes(history, order_id)
        steps = episodes.steps(witness.events) if order_id else []
        users = witness.users or ((str(episodes.row["user"]),) if episodes.row else ())
        saved_by = self.titles.saved_by(invariant, witness)
        sentences = (
            *self._sentences(history, episodes, witness, self._who(users)),
            self.words("sentences.wrong", text=self.titles.witness(invariant, witness).rstrip(".。")),
            *([self.words("sentences.saved", text=saved_by)] if saved_by else []),
        )
        return Story(
            title=self._title(invariant, witness, users),
            sentences=sentences,
            timeline=tuple(Moment(step.t_us, step.lane, self._step(step)) for step in steps),
            money_fen=witness.amount_fen,
            saved_by=saved_by,
            order_id=order_id,
            user=self.words.listed(users),
            invariant=invariant,
        )

    def _title(self, invariant: str, witness: Witness, users: tuple[str, ...]) -> str:
        """Who lost what and how much, and which promise that broke."""
        broken = self.words("title.broken", invariant=invariant, title=self.titles.invariant(invariant))
        if not witness.amount_fen:
            return _capital(broken)
        key = self.titles.loser(invariant, witness) or "risk"
        if key == "shop" and users:
            key = "shop_order"
        elif key == "risk" and not users:
            key = "risk_alone"
        who, money = self._who(users), yuan(witness.amount_fen)
        return _capital(self.words(f"title.{key}", who=who, money=money, broken=broken))

    def _sentences(self, history: History, episodes: Episodes, witness: Witness, who: str) -> list[str]:
        """Who bought what, what was paid, what the storm did, and how it ended."""
        words, row, order_id = self.words, episodes.row, episodes.order_id
        if not order_id:
            return [words("sentences.no_order", entity=words.named("entity", witness.entity), id=witness.id)]
        said = []
        if row is None:
            said.append(words("sentences.stray", order=order_id))
        else:
            at, price = moment(episodes.placed_us), yuan(row["payable_fen"])
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
            said.append(
                words("sentences.faults", faults=words.listed([words.fault(name) for name in faults]))
            )
        return said + _ending(words, episodes)

    def _who(self, users: Sequence[str]) -> str:
        """The members concerned."""
        number = "none" if not users else "one" if len(users) == 1 else "some"
        return self.words(f"who.{number}", users=self.words.listed(list(users)))

    def _step(self, step: Step) -> str:
        """One step of the timeline."""
        data = dict(step.data)
        data.update((key, self.words.named(key, data[key])) for key in _NAMES if key in data)
        if "fen" in data:
            data["fen"] = yuan(data["fen"])
        text = self.words(f"steps.{step.key}", **data)
        return text if step.times == 1 else self.words("steps.times", text=text, times=step.times)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ending(words: Words, episodes: Episodes) -> list[str]:
    """What the member read in the end, if anybody looked; and what the books say, where they say otherwise."""
    final, row = episodes.final, episodes.row
    if final is None or row is None:
        return []
    if "error" in final:
        return [words("sentences.ended_unreadable")]
    said = words(
        "sentences.ended",
        status=words.named("status", final["status"]),
        delivered=final["delivered_qty"],
        quantity=row["quantity"],
        refunded=yuan(final["refunded_fen"]),
    )
    units = episodes.handed_out
    return [said] if units == final["delivered_qty"] else [said, words("sentences.books", units=units)]


def _payment(words: Words, episodes: Episodes) -> str:
    captures = episodes.captures
    if not captures:
        return words("sentences.unpaid")
    money = yuan(sum(fen for _, _, fen in captures))
    if len(captures) > 1:
        return words("sentences.paid_often", times=len(captures), money=money)
    t_us, charge, _ = captures[0]
    return words(
        "sentences.from_wallet" if charge == "wallet" else "sentences.paid_once", money=money, at=moment(t_us)
    )
