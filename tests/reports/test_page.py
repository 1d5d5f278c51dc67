"""The page says the verdict first, then the worst, and never more than a reader can take."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

import reports
from chaos.checkers.verdict import Verdict, Witness
from chaos.results import Campaign as Meta
from chaos.results import CellSummary
from chaos.titles import Titles
from chaos.words import Words
from reports import TEXTS, drawn, page, tables
from reports.campaign import Campaign, Pair
from reports.findings import findings
from reports.reading import read
from reports.sentences import opening
from tests.reports import campaigns


class Outline(HTMLParser):
    """Headings, addresses and open elements of a page."""

    VOID = frozenset({"meta", "link", "br", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


def text_of(built: tuple[str, Path]) -> str:
    return (built[1] / "report.html").read_text("utf-8")


def test_page_is_well_formed_and_its_ids_are_its_own(built: tuple[str, Path]) -> None:
    """Every element closes in order, no id is used twice, headings do not skip a level down."""
    outline = Outline(text_of(built))
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(outline.headings))


def test_page_asks_nothing_of_the_network(built: tuple[str, Path]) -> None:
    """Only places on the page itself are pointed at; no style sheet, font, script or picture is loaded."""
    text = text_of(built)
    assert all(address.startswith("#") or address == "data:," for address in Outline(text).addresses)
    assert not re.search(r"@import|url\((?!#)|<script", text)


def test_page_opens_with_the_verdict_then_the_worst_story(built: tuple[str, Path]) -> None:
    """Sentence, story with money and replay line, table: in this order."""
    lang, directory = built
    words = Words(lang, TEXTS)
    text = text_of(built)
    campaign = read(directory)
    worst = campaign.grave_failures()[0]
    order = [opening(campaign, words), words("page.worst"), "¥30.00", worst.replay, words("page.table")]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_page_is_in_one_language(built: tuple[str, Path]) -> None:
    """English pages have no Chinese, Chinese ones say so in `lang`."""
    lang, _ = built
    text = text_of(built)
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in text
    visible = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert bool(re.search("[\u4e00-\u9fff]", visible)) == (lang == "zh")


def test_rules_that_never_came_due_are_listed(built: tuple[str, Path]) -> None:
    """Silence of a rule is told, not hidden."""
    lang, _ = built
    section = text_of(built).split('id="compensations"')[1].split("</section>")[0]
    never = section.split(Words(lang, TEXTS)("page.never_fired"))[1]
    assert "K-13" in never
    assert "K-01" not in never


def test_what_a_design_is_called_cannot_break_the_page(tmp_path: Path) -> None:
    """Everything from a results directory is escaped."""
    directory = campaigns.write(tmp_path / "results", scenarios=2, seeds=1)
    campaign = read(directory)
    evil = '<script>alert("x")</script>'
    for pair in campaign.pairs.values():
        pair.broken[1] = evil
        pair.outcome = "broken"
    campaign.meta = msgspec.structs.replace(campaign.meta, command=f"dingfeng run {evil}", cells=[])
    for scenario in campaign.meta.scenarios.values():
        scenario["title"] = {"en": evil, "zh": evil}
    text = page.render(campaign, "en")
    assert "<script" not in text
    assert "&lt;script" in text


def test_thousands_of_findings_are_twenty_rows_and_a_count(tmp_path: Path) -> None:
    """Failing orders first, at most twenty, how many more are named, and how many cases nobody is named for."""
    directory = campaigns.write(tmp_path / "results", scenarios=2, seeds=1)
    victim = next((directory / "failures").iterdir())
    witnesses = tuple(
        Witness("order", f"O{n:04d}", "left_over", {}, 100 * n, (f"member-{n}",)) for n in range(1, 26)
    )
    verdicts = [Verdict(f"I-{n:02d}", "violated", 5000, 5000, witnesses, 10**6) for n in range(1, 13)]
    (victim / "verdict.json").write_bytes(msgspec.json.encode({"verdicts": verdicts}))
    reports.build(directory)
    text = (directory / "report.html").read_text("utf-8")
    section = text.split('id="orders"')[1].split("</section>")[0]
    rows = re.findall(r'<tr><th scope="row" class="id">', section)
    assert len(rows) == page.ORDERS_AT_MOST
    named = len(findings(read(directory), "en"))
    assert named - len(rows) == 5
    assert "Not listed: 5 more" in section
    counted = 12 * 4975  # of five thousand, twenty-five are named
    assert f"{counted:,} violations are only counted" in section
    first = section.index("O0025")
    assert first < section.index("O0024")


def test_what_the_table_does_not_leave_out_is_not_spoken_of(tmp_path: Path) -> None:
    """Two cases of which one is named: no word of zero more."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=2, seeds=1))
    named = Witness("order", "O1", "unheard_of", {}, 9000, ("ann",))
    verdicts = (Verdict("I-01", "violated", 2, 2, (named,), 18000),)
    campaign.failures = [replace(campaign.failures[0], verdicts=verdicts)]
    rest = page._rest(campaign, findings(campaign, "en"), Words("en", TEXTS))
    assert rest.startswith("One violation is only counted, without a name. ")


def test_a_loss_is_listed_before_a_risk_however_large(tmp_path: Path) -> None:
    """The witness told of an order is a loss where there is one, and its line stands above mere risks."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=2, seeds=1))
    risk = Witness("order", "O1", "unheard_of", {}, 9000, ("ann",))
    loss = Witness("order", "O2", "no_order", {"units": 2}, 1000, ("bob",))
    verdicts = (
        Verdict("I-01", "violated", 2, 2, (risk, msgspec.structs.replace(risk, id="O2")), 18000),
        Verdict("I-02", "violated", 2, 1, (loss,), 1000),
    )
    campaign.failures = [replace(campaign.failures[0], verdicts=verdicts)]
    found = findings(campaign, "en")
    assert [(finding.entity_id, finding.amount_fen) for finding in found] == [("O2", 1000), ("O1", 9000)]
    assert found[0].invariants == ("I-01", "I-02")


def test_an_id_never_breaks_at_its_hyphen_and_text_around_it_stays_escaped(built: tuple[str, Path]) -> None:
    """Only the span is markup; no tag is shown to the reader, and none of the data becomes one."""
    assert page._unbroken("I-17 <b> K-03") == (
        '<span class="whole">I-17</span> &lt;b&gt; <span class="whole">K-03</span>'
    )
    assert "&lt;span" not in text_of(built)


def test_chinese_headings_end_in_chinese_marks(built: tuple[str, Path]) -> None:
    """A half-width colon after a Chinese character is a slip."""
    visible = re.sub(r"<style.*?</style>", "", text_of(built), flags=re.DOTALL)
    assert len(visible) > 20_000
    assert re.findall("[\u4e00-\u9fff](?:</strong>)?:", visible) == []


def test_a_page_of_many_scenarios_stays_small_and_names_what_it_left_out(tmp_path: Path) -> None:
    """Drawings stop at a limit; the rest is named."""
    directory = campaigns.write(tmp_path / "results", scenarios=28, seeds=1, orders=4)
    reports.build(directory)
    file = directory / "report.html"
    text = file.read_text("utf-8")
    assert file.stat().st_size < 3_000_000
    assert len(re.findall(r"<svg ", text)) <= drawn.SHEETS_AT_MOST + 2
    left = text.split("Not drawn")[1].split("</p>")[0]
    assert left.count("storm_") == 28 * 2 - drawn.SHEETS_AT_MOST


def test_designs_stand_side_by_side_under_one_seed_where_it_was_kept(tmp_path: Path) -> None:
    """The sample is of the first seed; the failure of that seed is shown beside it, not a dearer one."""
    campaign = read(campaigns.write(tmp_path / "results", scenarios=2, seeds=3, orders=30))
    sample = campaign.pairs["callback_lost", "resilient"].sample
    assert sample is not None
    kept = drawn.kept(campaign, "callback_lost")
    assert kept == {"naive": tmp_path / "results/failures/callback_lost-naive-1", "resilient": sample}


def pair(design: str, outcome: str, runs: int = 10, bad: int = 0, scenario: str = "s") -> Pair:
    found = Pair(scenario, design, outcome, runs=runs, bad=bad)
    if bad:
        found.violated["I-01"] = bad
    return found


def campaign_of(*pairs: Pair) -> Campaign:
    designs = list(dict.fromkeys(found.design for found in pairs))
    scenarios = {found.scenario: {"title": {"en": found.scenario, "zh": found.scenario}} for found in pairs}
    meta = Meta(1, "0", {}, "dingfeng run", "", scenarios, designs, [1], 1, cells=[])
    return Campaign(meta, designs, {(found.scenario, found.design): found for found in pairs})


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ((), "No run has finished yet"),
        ((pair("resilient", "holds"),), "Every promise held: 10 runs of one scenario"),
        (
            (pair("naive", "expected", bad=7), pair("resilient", "holds")),
            "resilient kept every promise in 10 runs; naive broke one invariant, as",
        ),
        ((pair("naive", "expected", bad=7),), "no other design was run"),
        (
            (pair("naive", "expected", bad=7), pair("resilient", "violated", bad=2)),
            "resilient broke what it promised: 2 of 10 runs violated an invariant, in 1 of 2",
        ),
        ((pair("naive", "unseen"),), "1 of 1 scenario × design pairs did not show the failure"),
        ((pair("resilient", "inconclusive"), pair("naive", "expected", bad=1)), "Nothing can be concluded yet: 1 of 2"),
        ((pair("resilient", "broken", bad=1), pair("naive", "violated", bad=9)), "harness itself broke in 1 of 2"),
    ],
)  # fmt: skip
def test_opening_sentence_is_true_whatever_happened(pairs: tuple[Pair, ...], sentence: str) -> None:
    """The gravest outcome decides; numbers are of those it speaks of."""
    assert sentence in opening(campaign_of(*pairs), Words("en", TEXTS))
    chinese = opening(campaign_of(*pairs), Words("zh", TEXTS))
    assert chinese
    assert not re.search("([\u4e00-\u9fff]{2,}) ?\\1", chinese), (
        "a count brings its noun: the sentence must not name it again"
    )


def test_no_outcome_is_told_by_colour_alone() -> None:
    """Each has a symbol and a word of its own."""
    looks = [tables.cell(outcome, Words("en", TEXTS)) for outcome in tables.LOOKS]
    assert all(look["symbol"] and look["word"] for look in looks)
    assert len({look["word"] for look in looks}) == len(looks)


def test_a_pair_that_met_nothing_says_what_it_missed() -> None:
    """An inconclusive cell names the fault that touched nothing and the situation never met."""
    doubtful = pair("resilient", "inconclusive")
    doubtful.touched["0/channel.callback_loss/wechat"] = 0
    doubtful.sometimes = ("order_expired",)
    shown = tables.verdicts(campaign_of(doubtful), Words("en", TEXTS), Titles("en"))[0]["cells"][0]["lines"]
    assert shown == [
        "touched nothing: callback lost",
        f"never met: {Titles('en').situation('order_expired')}",
    ]
    assert "order_expired" not in shown[1]


def test_an_empty_campaign_has_a_page() -> None:
    """Interrupted before the first run: a page that says so."""
    text = page.render(campaign_of(), "en")
    assert "No run has finished yet" in text
    assert "there is no story to tell" in text


def test_cell_summaries_of_the_house_are_all_known() -> None:
    """Each outcome that a campaign can write has its look here."""
    from chaos.tally import EXITS
    from reports.reading import _OUTCOMES

    assert {_OUTCOMES.get(name, name) for name in EXITS} <= set(tables.LOOKS)
    assert CellSummary("s", "d", "holds", [], 1, {}, []).outcome in tables.LOOKS


def test_a_name_may_break_at_its_underscore_and_nowhere_becomes_markup() -> None:
    """Seven designs side by side need every place where a line can end."""
    assert page._breakable("callback_idempotent") == "callback_<wbr>idempotent"
    assert page._breakable("<b>_x") == "&lt;b&gt;_<wbr>x"
