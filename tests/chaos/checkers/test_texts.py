"""Every word a checker can say has its sentence in both languages."""

from __future__ import annotations

import ast
import inspect
import string
import sys
from typing import Any

import pytest

from chaos.checkers.checker import Checker
from chaos.checkers.registry import CHECKERS
from tests.chaos.histories import texts


def strings(checker: type[Checker]) -> set[str]:
    """Every string constant in the checker's file."""
    tree = ast.parse(inspect.getsource(sys.modules[checker.__module__]))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def said(checker: type[Checker]) -> set[str]:
    """The words passed as such to `violated`, `violated_order`, `undecided` and their like."""
    tree = ast.parse(inspect.getsource(sys.modules[checker.__module__]))
    words = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            position = {"violated": 2, "undecided": 2, "violated_order": 1}.get(node.func.attr)
            if position is not None and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, ast.Constant):
                    words.add(str(argument.value))
    return words


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.invariant)
def test_every_invariant_has_its_words(checker: type[Checker]) -> None:
    """Title, claim, what saves it, and a sentence for each thing the checker can say."""
    entry = texts()[checker.invariant]
    for what in ("title", "claim", "saved_by"):
        assert entry[what]["en"]
        assert entry[what]["zh"]
    assert said(checker) <= set(entry["witnesses"])


@pytest.mark.parametrize(
    "checker",
    [checker for checker in CHECKERS if checker.invariant != "I-30"],  # its words are the oracle's verdicts
    ids=lambda checker: checker.invariant,
)
def test_no_sentence_is_left_over(checker: type[Checker]) -> None:
    """A sentence of its own that the checker never says is dead text."""
    own = set(texts()[checker.invariant]["witnesses"]) - set(texts()["undecided"])
    assert own <= strings(checker)


def sentences() -> list[tuple[str, str, dict[str, str]]]:
    return [
        (name, words, sentence)
        for name, entry in texts().items()
        if name != "undecided"
        for words, sentence in entry["witnesses"].items()
    ]


@pytest.mark.parametrize(("name", "words", "sentence"), sentences())
def test_both_languages_tell_the_same_facts(name: str, words: str, sentence: dict[str, Any]) -> None:
    """A placeholder in one language only would hide a fact from the readers of the other."""
    formatter = string.Formatter()
    fields = {
        lang: {field for _, field, _, _ in formatter.parse(sentence[lang]) if field} for lang in ("en", "zh")
    }
    extra = fields["en"] ^ fields["zh"]
    assert extra <= {"amount_fen", "units", "quantity"}, (name, words)
