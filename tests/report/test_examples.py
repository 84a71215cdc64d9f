"""Examples: the worst and best rows, and the rows on which two models differ most."""

from dataclasses import replace

from pipeline.outputs import Output
from pipeline.records import Hypothesis
from pipeline.report import examples
from pipeline.report.examples import contrasts, differing, extremes


def output(number: int, text: str, source: str = "Ein Satz") -> Output:
    hypotheses = (Hypothesis(text, -0.5, -2.0, 4),)
    name = f"t:{number}"
    return Output(name, "t", name, source, ("a dog runs",), "de", "en", hypotheses)


def test_words_that_the_other_does_not_have_are_marked():
    assert differing("a dog runs fast", "a cat runs") == (
        (("a", False), ("dog", True), ("runs", False), ("fast", True)),
        (("a", False), ("cat", True), ("runs", False)),
    )
    assert differing("", "a") == ((), (("a", True),))


def test_the_worst_and_best_do_not_overlap_and_ties_show_the_longer_source():
    rows = [output(0, "a"), output(1, "b", "Ein langer Satz"), output(2, "c"), output(3, "d")]
    worst, best = extremes(rows, [0.0, 0.0, 50.0, 100.0], 3)
    assert [one.id for one in worst] == ["t:1", "t:0"]
    assert [one.id for one in best] == ["t:3", "t:2"]
    assert extremes(rows[:1], [1.0], 3)[0] == []
    worst, best = extremes(rows, [0.0, 0.0, 50.0, 100.0], 1, falling=True)
    assert [one.id for one in worst + best] == ["t:3", "t:1"]


def test_contrasts_count_and_rank_what_differs():
    champion = [output(0, "a dog runs"), output(1, "a cat"), output(2, "x"), output(3, "same")]
    challenger = [output(0, "a dog"), output(1, "a dog runs"), output(2, "y"), output(3, "same")]
    found = contrasts(champion, challenger, 5)
    assert (found.rows, found.different, found.better, found.worse) == (4, 3, 1, 1)
    assert [one.id for one in found.gains] == ["t:1"]
    assert [one.id for one in found.losses] == ["t:0"]
    assert found.losses[0].champion == (("a dog", False), ("runs", True))
    assert contrasts(champion, [replace(one) for one in champion], 5).different == 0


def test_only_the_rows_that_are_shown_are_aligned_however_many_differ(monkeypatch):
    aligned: list[str] = []
    align = examples.differing

    def counted(first: str, second: str):
        aligned.append(first)
        return align(first, second)

    monkeypatch.setattr(examples, "differing", counted)
    champion = [output(number, f"a cat {number}") for number in range(50)]
    challenger = [output(number, "a dog runs" if number % 2 else "x") for number in range(50)]
    found = contrasts(champion, challenger, 3)
    assert (found.different, found.better, found.worse) == (50, 25, 25)
    assert (len(found.gains), len(found.losses), len(aligned)) == (3, 3, 6)
