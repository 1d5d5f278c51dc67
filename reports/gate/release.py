"""The gate, end to end: read everything, decide, and only then write. What cannot be read leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chaos.certificate import load as load_certificate
from reports.gate import summary, writing
from reports.gate.checking import DEFAULT, Known, load
from reports.gate.evidence import join
from reports.gate.judging import decide


def release(
    results: Sequence[Path],
    known: Known,
    *,
    policy: Path | None = None,
    baseline: Sequence[Path] = (),
    certificates: Sequence[Path] = (),
    out: Path | None = None,
    lang: str = "en",
) -> tuple[dict[str, Any], list[Path]]:
    """The summary of the decision, and the files written.

    Raises DocumentError for a policy, ResultsError for results, baselines and certificates that cannot be used.
    """
    evidence = join(results)
    ours = [name for name in evidence.scenarios if name not in known.library]
    known = replace(
        known,
        scenarios=[*known.library, *ours],
        certified=[load_certificate(path).workload for path in certificates],
    )
    demanded = load(policy, known)
    target = writing.place(out, results[0])
    decision = decide(demanded, policy or DEFAULT, known, evidence, baseline, certificates)
    told = summary.of(decision, lang)
    return told, writing.write(decision, told, target, lang)
