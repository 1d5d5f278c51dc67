"""Chinese is set in Chinese punctuation, in every file that somebody reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
KINDS = {".py", ".yaml", ".md", ".j2", ".toml", ".css"}
FOLDERS = ("benchmarks", "chaos", "docs", "reference_platform", "reports", "scenarios", "sim", "tests")

_HAN = "\u3400-\u9fff"
HALF_WIDTH = re.compile(
    f"[{_HAN}][,;:?!()]+ ?[\\w{{\u201c\u00a5\u3002\uff0c\uff1b\uff1a]|[\\w}}\u201d][,;:?!()]+[{_HAN}]"
)
"""A half-width mark with Chinese on one side and text on the other. English that names a Chinese word
in brackets has a space before it and is no slip."""


def files() -> list[Path]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    found += sorted(ROOT.iterdir())
    return [path for path in found if path.suffix in KINDS and path.is_file()]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_chinese_uses_chinese_punctuation(path: Path) -> None:
    """A half-width comma between Chinese characters is a slip, whoever or whatever made it."""
    lines = path.read_text("utf-8").splitlines()
    slips = [f"{n}: {line.strip()}" for n, line in enumerate(lines, 1) if HALF_WIDTH.search(line)]
    assert not slips


@pytest.mark.parametrize(
    "slip",
    [
        "\u4e22\u5931,\u53e6", "\u6545\u969c:{fault}", "\u5143(\u8ba2", "\u5b8c){id}", "{id} \u5b8c),\u5374",
        "\u5b8c, \u5374", "}:\u5374", "\u5b8c!\u5374", "K-03:\u5374",
    ],
)  # fmt: skip
def test_the_rule_finds_a_slip(slip: str) -> None:
    """Each mark, on either side of the Chinese."""
    assert HALF_WIDTH.search(slip)


@pytest.mark.parametrize("fine", ["\u201cbefore\u201d, which", "fen (\u5206).", 'dingfeng (\u5b9a\u98ce, "still")', "{zh: \u5f88\u75bc\u3002}"])  # fmt: skip
def test_the_rule_leaves_english_alone(fine: str) -> None:
    """A Chinese word in an English sentence keeps the marks of the sentence."""
    assert not HALF_WIDTH.search(fine)
