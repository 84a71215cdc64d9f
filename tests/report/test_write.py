"""The report is one file that needs nothing from outside, and shows what happened."""

import re
from pathlib import Path

import pytest

from pipeline.alignments import Alignment, write_alignments
from pipeline.files import write_json, write_text
from pipeline.machine import Machine
from pipeline.outputs import Output, read_outputs, write_outputs
from pipeline.records import Check, Hypothesis, Ledger, Verdict, Version
from pipeline.report.write import write_report
from pipeline.stages import evaluate

CHECKS = (
    Check("t bleu", 40.0, 38.5, 1.0, -3.0, 0.5, False),
    Check("t length 1-10 exact_match", 0.5, 0.75, 0.1, 0.1, 0.4, True),
    Check("drift clean train same", 0.01, 0.02, 0.05, 0.01, 0.01, True),
)
VERSION = Version(
    "tiny", "4", "ab" * 32, "run", "file:///registry/package", True, {"run_key": "k7"}
)


def output(number: int, text: str) -> Output:
    hypotheses = (Hypothesis(text, -0.5, -2.0, 4),)
    name = f"t:{number}"
    return Output(name, "t", name, f"Satz {number} <b>", ("a dog & a cat",), "de", "en", hypotheses)


@pytest.fixture
def outs(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts"
    rows = [output(0, "a dog & a cat"), output(1, "<script>alert(1)</script>"), output(2, "")]
    write_outputs(folder / "hypotheses" / "t.jsonl", rows)
    given = {"metrics": ["bleu", "chrf", "exact_match"], "length_bounds": [2]}
    settings = evaluate.Settings(evaluation=given)  # pyright: ignore[reportArgumentType]
    evaluate.run(settings, Machine(), folder, folder)
    return folder


def test_everything_that_is_known_is_on_the_page_and_nothing_is_fetched(outs: Path, tmp_path: Path):
    curve = (
        "step,train_loss,valid_loss,valid_score,rate\n10,3.5,3.75,1.5,0.1\n20,3.0,3.25,2.5,0.1\n"
    )
    write_text(outs / "curves.csv", curve)
    write_json(outs / "model" / "run.json", {"valid": {"loss": 3.25, "bleu": 2.5}})
    ledger = Ledger("clean", "train", 1200, 1190, {"same": 10}, {}, {"same": ("train:7\tx\tx",)})
    write_json(outs / "ledgers" / "clean.json", {"ledgers": [ledger]})
    champion = {"t": [output(0, "a dog"), output(1, "a cat"), output(2, "")]}
    path = tmp_path / "report" / "report.html"
    bill = [
        {"stage": "train", "outcome": "ran", "time": "7 min", "forecast": "8 min", "cost": "1 €"}
    ]
    write_report(
        path,
        outs=outs,
        verdict=Verdict("refused", "4", "3", "rows", "settings", CHECKS),
        version=VERSION,
        champion_hypotheses=champion,
        bill=bill,
    )
    page = path.read_text(encoding="utf-8")
    for shown in (
        "tiny, version 4",
        "Refused: at least one check",
        "Champion: version 3.",
        "-3.00 … 0.50",
        "+0.2500",
        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
        "<polyline",
        "same&nbsp;10",
        "train:7\tx\tx",
        "2 of 3 outputs differ",
        "7 min",
        "k7",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "Satz 1 &lt;b&gt;",
    ):
        assert shown in page, shown
    assert "<script" not in page
    assert not re.findall(r"(?:src|href)\s*=|@import|url\(|https?://", page)


def test_alignments_and_texts_say_in_which_language_and_direction_they_are(
    outs: Path, tmp_path: Path
):
    """So that the reader's browser shapes them with fonts of its own; nothing is fetched."""
    weights = ((0.75, 0.25), (0.0, 1.0))
    aligned = [Alignment("t:0", ("<b>", ""), ("كلب", ""), weights)]
    write_alignments(outs / "alignments" / "t.jsonl", aligned)
    path = tmp_path / "report.html"
    write_report(path, outs=outs, verdict=None, version=None, champion_hypotheses=None)
    page = path.read_text(encoding="utf-8")
    assert "Alignments of t</h2>" in page
    assert '<bdi dir="auto" lang="en">كلب</bdi>' in page
    assert '<bdi dir="auto" lang="de">&lt;b&gt;</bdi>' in page
    assert 'title="كلب ← &lt;b&gt;: 0.75"><i style="opacity: 0.75"></i>' in page
    assert '<bdi dir="auto" lang="de">Satz 1 &lt;b&gt;</bdi>' in page
    for family in ("Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Hebrew", "PingFang SC"):
        assert f'"{family}"' in page
    assert not re.findall(r"(?:src|href)\s*=|@import|@font-face|url\(|https?://", page)


def test_a_report_needs_neither_verdict_nor_champion_nor_curves(outs: Path, tmp_path: Path):
    path = tmp_path / "report.html"
    write_report(path, outs=outs, verdict=None, version=None, champion_hypotheses=None)
    page = path.read_text(encoding="utf-8")
    assert "The gate was not asked about this version." in page
    assert "Training</h2>" not in page
    assert "Differences" not in page
    assert "Alignments" not in page
    first = Verdict("first", "1", "", "rows", "settings")
    write_report(path, outs=outs, verdict=first, version=VERSION, champion_hypotheses=None)
    assert "First version" in path.read_text(encoding="utf-8")
    assert list(read_outputs(outs / "hypotheses")) == ["t"]
