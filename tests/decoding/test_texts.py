"""What was found as texts, with pieces that are single letters."""

from pipeline.decoding.found import Found
from pipeline.decoding.texts import hypotheses
from pipeline.records import Hypothesis


class Letters:
    """a is 4, b is 5, …; A is another spelling of a."""

    def decode(self, ids):
        return ["".join(chr(id + 93).lower() for id in one) for one in ids]


def test_spellings_of_one_text_are_one_hypothesis():
    found = [Found((4, 5), -0.5, -1.5, 3), Found((4 - 32, 5), -0.6, -1.8, 3), Found((), -2, -2, 1)]
    assert hypotheses(Letters(), [found, found[2:]], "s") == [
        (Hypothesis("ab", -0.5, -1.5, 3, "s"), Hypothesis("", -2, -2, 1, "s")),
        (Hypothesis("", -2, -2, 1, "s"),),
    ]
