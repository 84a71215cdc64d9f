"""Texts in, texts out, with pieces that are single letters."""

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding
from pipeline.decoding.found import Found
from pipeline.decoding.translate import hypotheses, translate
from pipeline.records import Hypothesis


class Letters:
    """a is 4, b is 5, …; A is another spelling of a."""

    def encode_source(self, texts):
        return [[*(ord(letter) - 93 for letter in text), 3] for text in texts]

    def decode(self, ids):
        return ["".join(chr(id + 93).lower() for id in one) for one in ids]


def test_texts_come_back_in_the_order_they_were_given(markov):
    model = markov.Markov(12, seed=1)
    decoding = Decoding(search=Beam(beam_size=3), n_best=3)
    texts = ["ab", "", "hgfedcba", "c"]
    together = translate(model, Letters(), texts, decoding, batch_sentences=2)
    alone = [translate(model, Letters(), [text], decoding)[0] for text in texts]
    assert together == alone
    assert [len(one) for one in together] == [3, 3, 3, 3]


def test_spellings_of_one_text_are_one_hypothesis():
    found = [Found((4, 5), -0.5, -1.5, 3), Found((4 - 32, 5), -0.6, -1.8, 3), Found((), -2, -2, 1)]
    assert hypotheses(Letters(), [found, found[2:]]) == [
        (Hypothesis("ab", -0.5, -1.5, 3), Hypothesis("", -2, -2, 1)),
        (Hypothesis("", -2, -2, 1),),
    ]
