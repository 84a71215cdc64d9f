"""Lessons: what does not fit is found before the first step; gradients leave nothing behind."""

import pytest
import torch

from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.problems import Problem


def test_r_drop_without_dropout_is_a_problem(tiny):
    bare = {part: tiny.without_dropout(tiny.MODELS["gru"][part]) for part in ("encoder", "decoder")}
    with pytest.raises(Problem, match="this model has none") as caught:
        Lesson(tiny.model_of("gru", **bare), None, RDrop())
    assert caught.value.where == "params.yaml, training.r_drop"
    assert "dropout" in caught.value.remedy
    Lesson(tiny.model_of("gru", **bare, target_word_dropout=0.1), None, RDrop())


@pytest.mark.parametrize(
    ("lesson", "message"),
    [
        ({"scheduled_sampling": {"decay": {"kind": "linaer"}}}, "did you mean 'linear'"),
        ({"scheduled_sampling": {"decay": {"kind": "exponential", "k": 1.0}}}, "less than 1"),
        ({"scheduled_sampling": {"decay": {"kind": "inverse_sigmoid", "k": 0.5}}}, "equal to 1"),
        ({"scheduled_sampling": {}}, r"scheduled_sampling\.decay"),
        ({"r_drop": {"weight": 0}}, r"r_drop\.weight"),
        ({"r_drop": {"alpha": 5}}, "unknown parameter"),
    ],
)
def test_settings_that_do_not_fit_are_problems_that_name_their_key(engine, lesson, message):
    with pytest.raises(Problem, match=message):
        engine.training(**lesson)


def test_r_drop_holds_no_more_than_a_chunk_of_log_probabilities(tiny, monkeypatch):
    """What a chunk needs is made again on the way back, and the gradient is the same."""
    import pipeline.models.softmax as softmax

    model, batch = tiny.model_of("gru, copying"), tiny.batch(tiny.examples(5))
    lesson = Lesson(model, None, RDrop())
    whole = gradients(model, lesson, batch, tiny.CHANCE)
    monkeypatch.setattr(softmax, "CHUNK", 3)
    parted = gradients(model, lesson, batch, tiny.CHANCE)
    assert tiny.largest(whole, parted) < 1e-9


def gradients(model, lesson, batch, chance):
    model.zero_grad()
    torch.stack(list(lesson.losses(batch, chance).values())).sum().backward()
    return {name: value.grad.clone() for name, value in model.named_parameters()}
