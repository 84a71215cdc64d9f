"""The attention that is drawn is the model's, of any decoder; pieces are named by what they say."""

import pytest
import torch

from pipeline.decoding.align import attention_of, spoken
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces

SOURCE, TARGET = [4, 7, 5, 9, 3], [6, 8, 4]


@pytest.mark.attends
def test_it_is_the_teacher_forced_attention(tiny, combination):
    model = tiny.model_of(combination)
    batch = tiny.batch([(SOURCE, TARGET)])
    found = attention_of(model, SOURCE, TARGET)
    assert found.shape == (4, 5)
    assert found.sum(1).tolist() == pytest.approx([1.0] * 4, abs=1e-9)
    with torch.no_grad():
        step = model.teach(batch, model.read(batch, None), None, attention=True)
    assert float((found - step.attention).abs().max()) < 1e-9


def test_a_transformers_is_the_mean_over_the_heads_of_its_last_block(tiny):
    model, seen = tiny.model_of("transformer"), []
    last = model.decoder.blocks[-1].cross
    last.attend.register_forward_hook(lambda module, given, result: seen.append(result[1]))
    found = attention_of(model, SOURCE, TARGET)
    heads = torch.stack([each[0, :, 0] for each in seen])  # [targets, heads, source]
    assert heads.shape == (4, 2, 5)
    assert float((found - heads.mean(1)).abs().max()) < 1e-9


def test_a_fixed_context_has_none(tiny):
    model = tiny.model_of("rnn, reversed to a fixed context")
    assert attention_of(model, SOURCE, TARGET) is None


@pytest.fixture(scope="module")
def pieces():
    trainer = TRAINERS["bpe"](vocabulary=275, threads=1)
    return Pieces((trainer.train(["der Hund", "ein Hund", "die Hunde"] * 20),), Normaliser())


def test_pieces_are_named_by_what_they_add_to_the_text(pieces):
    [ids] = pieces.encode_source(["der 日 Hund"])
    names = spoken(ids, pieces.decode_source)
    assert len(names) == len(ids)
    assert "".join(names) == "der 日 Hund"
    assert names[-1] == ""
    assert "日" in names  # at the last of its three bytes
    assert names.count("") == 3  # the first two, and EOS
    [ids] = pieces.encode_target(["ein Hund"])
    named = spoken(ids, pieces.decode)
    assert ("".join(named), len(named)) == ("ein Hund", len(ids) + 1)


def test_an_output_of_eos_alone_is_aligned_too(tiny, pieces):
    assert attention_of(tiny.model_of("gru"), SOURCE, []).shape == (1, 5)
    assert spoken([], pieces.decode) == ("",)
