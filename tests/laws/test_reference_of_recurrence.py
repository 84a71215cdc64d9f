"""Law: recurrent layers, decoders and attentions = torch's own, or a closed formula."""

import pytest
import torch
from reference import close, filled, random
from torch import nn
from torch.nn import functional

import pipeline.models.additive as additive
from pipeline.models import ATTENTIONS
from pipeline.models.dropout import ExampleKeys
from pipeline.models.gru import GRU
from pipeline.models.layout import Layout
from pipeline.models.lstm import LSTM
from pipeline.models.packed import Packing
from pipeline.models.recurrence import Recurrence
from pipeline.models.recurrent_decoder import GRUDecoderSettings, LSTMDecoderSettings
from pipeline.models.recurrent_encoder import (
    GRUEncoderSettings,
    LSTMEncoderSettings,
    RNNEncoderSettings,
)
from pipeline.models.rnn import RNN
from pipeline.models.seam import Chance, Memory, Vectors
from pipeline.models.weights import fill

CPU = torch.device("cpu")
SOURCE = Layout((3, 5, 1), CPU)
TARGET = Layout((4, 2, 3), CPU)
UNITS = {"rnn": RNN(), "gru": GRU(), "lstm": LSTM()}
ENCODERS = {"rnn": RNNEncoderSettings, "gru": GRUEncoderSettings, "lstm": LSTMEncoderSettings}
LAYERS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
CELLS = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}
KINDS = pytest.mark.parametrize("kind", UNITS)


def same_gradients(ours, theirs, wanted, expected):
    """Of the sums of two results, weighed at random, in parameters of ours and of theirs."""
    slope = random(*ours.shape, seed=3)
    found = torch.autograd.grad((ours * slope).sum(), wanted)
    loss = (theirs * slope).sum()
    for one, other in zip(found, torch.autograd.grad(loss, expected), strict=True):
        close(one, other)


def copy(theirs, ours, suffix=""):
    """Our recurrence's weights into torch's; pairs of (ours, theirs) that have gradients alike."""
    values = {
        "weight_ih": ours.inputs.weight,
        "bias_ih": ours.inputs.bias,
        "weight_hh": ours.weight,
        "bias_hh": torch.zeros_like(ours.inputs.bias),
    }
    if ours.bias is not None:
        values["bias_hh"][-ours.units :] = ours.bias.detach()
    for name, value in values.items():
        getattr(theirs, name + suffix).data = value.detach().clone()
    same = {name: values[name] for name in ("weight_ih", "bias_ih", "weight_hh")}
    return [(value, getattr(theirs, name + suffix)) for name, value in same.items()]


def torchs_encoder(kind, ours, *, layers, bidirectional):
    """torch's own layers with our weights, and the pairs of parameters."""
    theirs = LAYERS[kind](7, 6, layers, batch_first=True, bidirectional=bidirectional).double()
    pairs = []
    for number, layer in enumerate(ours.layers):
        pairs += copy(theirs, layer.forwards, f"_l{number}")
        if bidirectional:
            pairs += copy(theirs, layer.backwards, f"_l{number}_reverse")
    return theirs, pairs


def run(theirs, vectors, layout):
    """torch's outputs at the flat positions, and h of the last layer where it ends."""
    packed = nn.utils.rnn.pack_padded_sequence(
        layout.pad(vectors), layout.lengths, batch_first=True, enforce_sorted=False
    )
    outputs, last = theirs(packed)
    padded, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    last = last[0] if isinstance(last, tuple) else last
    directions = 2 if theirs.bidirectional else 1
    return padded[layout.mask], torch.cat([*last[-directions:]], 1)


@KINDS
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, True), (2, True), (2, False)])
def test_an_encoder_and_its_gradients_are_torchs(kind, layers, bidirectional):
    settings = ENCODERS[kind](units=6, layers=layers, bidirectional=bidirectional)
    ours = filled(settings.build(7))
    theirs, pairs = torchs_encoder(kind, ours, layers=layers, bidirectional=bidirectional)
    vectors = random(SOURCE.positions, 7).requires_grad_()
    memory = ours(Vectors(vectors, SOURCE, None), None)
    states, ends = run(theirs, vectors, SOURCE)
    close(memory.states, ours.states(states))
    close(memory.summary, ours.states(ends))
    wanted, expected = zip((vectors, vectors), *pairs, strict=True)
    together = torch.cat([memory.states, memory.summary])
    same_gradients(together, ours.states(torch.cat([states, ends])), wanted, expected)


@KINDS
def test_a_reversed_source_is_read_from_its_end(kind):
    ours = filled(ENCODERS[kind](units=6, bidirectional=False, reversed=True).build(7))
    theirs, _ = torchs_encoder(kind, ours, layers=1, bidirectional=False)
    vectors = random(SOURCE.positions, 7)
    flipped = torch.cat([part.flip(0) for part in vectors.split(SOURCE.lengths)])
    states, ends = run(theirs, flipped, SOURCE)
    memory = ours(Vectors(vectors, SOURCE, None), None)
    back = torch.cat([part.flip(0) for part in states.split(SOURCE.lengths)])
    close(memory.states, ours.states(back))
    close(memory.summary, ours.states(ends))


@KINDS
def test_one_step_is_torchs_cell_with_and_without_gradients(kind):
    ours = filled(Recurrence(UNITS[kind], 7, 6))
    theirs = CELLS[kind](7, 6).double()
    pairs = copy(theirs, ours)
    vectors, state = random(4, 1, 7), random(4, 1, ours.state_width, seed=1).requires_grad_()
    parts = state[:, 0].chunk(UNITS[kind].parts, 1)
    after = theirs(vectors[:, 0], parts if kind == "lstm" else parts[0])
    expected = torch.cat(after, 1) if kind == "lstm" else after
    wanted, other = zip((state, state), *pairs, strict=True)
    same_gradients(ours.step(vectors, state)[:, 0], expected, wanted, other)
    with torch.no_grad():
        close(ours.step(vectors, state)[:, 0], expected)


@KINDS
def test_gradients_of_a_recurrence_reach_its_start(kind):
    layer, packing = filled(Recurrence(UNITS[kind], 7, 6, dropout=0.4)), Packing(SOURCE)
    vectors = random(SOURCE.positions, 7)
    start = random(3, layer.state_width, seed=1).requires_grad_()
    keys = ExampleKeys(torch.tensor([4, 5, 6]), Chance(1, 1))
    assert torch.autograd.gradcheck(lambda s: layer(vectors, s, packing, keys), (start,))


@KINDS
@torch.no_grad()
def test_a_variational_mask_is_one_for_all_steps_of_a_sequence(kind):
    """Gal & Ghahramani 2016: what U reads of h is masked, what the gates keep of it is not."""
    layer = filled(Recurrence(UNITS[kind], 7, 6, dropout=0.4))
    theirs, vectors = CELLS[kind](7, 6).double(), random(5, 7)
    pairs = copy(theirs, layer)
    keys = torch.tensor([9])
    mask = layer.dropout.mask(keys, 6, torch.float64) * layer.dropout.scale
    assert 0 < int((mask == 0).sum()) < 6
    layout = Layout((5,), CPU)
    found = layer(vectors, None, Packing(layout), ExampleKeys(keys, Chance(1, 1)))
    masked = [param for _, param in pairs]
    states = [torch.zeros(1, 6 * UNITS[kind].parts, dtype=torch.float64)]
    for vector in vectors:
        gates = functional.linear(vector[None], *masked[:2])
        read = functional.linear(UNITS[kind].hidden(states[-1]) * mask, masked[2])
        states.append(UNITS[kind].step(gates, read, states[-1], layer.bias).state)
    close(found, UNITS[kind].hidden(torch.cat(states[1:])))


def test_residual_layers_that_read_what_is_normalised():
    settings = GRUEncoderSettings(units=6, layers=2, bidirectional=False, residual=True, norm=True)
    encoder, vectors = filled(settings.build(7)), random(SOURCE.positions, 7)
    first, second = encoder.layers
    packing = Packing(SOURCE)
    below = first.forwards(first.norm(vectors), None, packing, None)
    normal = functional.layer_norm(below, (6,), second.norm.weight, second.norm.bias)
    above = below + second.forwards(normal, None, packing, None)
    memory = encoder(Vectors(vectors, SOURCE, None), None)
    close(memory.states, encoder.states(above))
    close(memory.summary, encoder.states(above[[2, 7, 8]]))


def test_weights_start_orthogonal_and_an_lstm_remembers():
    layer = Recurrence(LSTM(), 7, 6)
    fill(layer, 1)
    for gate in layer.weight.chunk(4):
        close(gate @ gate.T, torch.eye(6), 1e-5)
    assert layer.inputs.bias.tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12


def memory(width=8):
    states = random(SOURCE.positions, width)
    return Memory(states, SOURCE, random(3, width, seed=9), None)


def bias():
    return torch.where(SOURCE.mask, 0.0, float("-inf"))[:, None]


@pytest.mark.parametrize("kind", sorted(ATTENTIONS))
def test_an_attention_gives_a_context_and_weights_where_it_attends(kind):
    settings = ATTENTIONS[kind]()
    attention = filled(settings.build(8, 8))
    context, weights = attention(random(3, 4, 8, seed=1), attention.fixed(memory()), None)
    assert context.shape == (3, 4, 8)
    assert (weights is not None) is settings.attends
    if settings.attends:
        close(weights.sum(2), torch.ones(3, 4, dtype=torch.float64))
        close(context, weights @ SOURCE.pad(memory().states))


def test_without_attention_the_context_is_the_summary():
    attention = ATTENTIONS["none"]().build(6, 8)
    context, _ = attention(random(3, 4, 6), attention.fixed(memory()), None)
    close(context, memory().summary[:, None].expand(-1, 4, -1))


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("kind", ["dot", "general"])
def test_attention_by_products_is_torchs(kind, scaled):
    attention = filled(ATTENTIONS[kind](scaled=scaled).build(8, 8))
    queries = random(3, 4, 8, seed=1)
    found, _ = attention(queries, attention.fixed(memory()), None)
    mapped = queries if kind == "dot" else queries @ attention.query.weight.T
    values = SOURCE.pad(memory().states)
    mask = SOURCE.mask[:, None].expand(-1, 4, -1)
    scale = 8**-0.5 if scaled else 1.0
    expected = functional.scaled_dot_product_attention(mapped, values, values, mask, scale=scale)
    close(found, expected)


@pytest.mark.parametrize("chunk", [1, 10**6])
@pytest.mark.parametrize("coverage", [False, True])
def test_additive_attention_and_its_gradients(monkeypatch, chunk, coverage):
    monkeypatch.setattr(additive, "CHUNK", chunk)
    settings = additive.Additive(attention_units=5, coverage=coverage)
    attention = filled(settings.build(6, 8))
    queries = random(3, 4, 6, seed=1).requires_grad_()
    past = random(3, 4, 5, seed=4).requires_grad_() if coverage else None
    context, weights = attention(queries, attention.fixed(memory()), past)
    keys = SOURCE.pad(attention.key(memory().states))
    sums = attention.query(queries)[:, :, None] + keys[:, None]
    if coverage:
        sums = sums + past[..., None] * attention.history
    expected = torch.softmax(torch.tanh(sums) @ attention.energy + bias(), -1)
    close(weights, expected)
    close(context, expected @ SOURCE.pad(memory().states))
    wanted = [queries, *attention.parameters(), *([past] if coverage else [])]
    same_gradients(weights, expected, wanted, wanted)


def test_coverage_is_the_sum_of_the_attention_so_far():
    settings = GRUDecoderSettings(
        units=6, layers=1, attention={"kind": "additive", "attention_units": 5, "coverage": True}
    )
    decoder = filled(settings.build(8))
    prefixes = random(TARGET.positions, 8, seed=2)
    step = decoder(prefixes, TARGET, memory(), None, attention=True)
    starts = torch.tanh(decoder.starts[0](memory().summary))
    states = TARGET.pad(decoder.recurrences[0](prefixes, starts, Packing(TARGET), None))
    fixed, past, looks = decoder.attention.fixed(memory()), random(3, 1, 5) * 0, []
    for place in range(4):
        _, weights = decoder.attention(states[:, place : place + 1], fixed, past)
        past = past + weights
        looks.append(weights)
    close(step.attention, torch.cat(looks, 1)[TARGET.mask])


def test_input_feeding_reads_the_output_before():
    """Luong et al. 2015, by torch's cell: the attentional vector h~ goes into the next step."""
    settings = LSTMDecoderSettings(
        units=6, layers=1, attention={"kind": "general"}, input_feeding=True
    )
    decoder = filled(settings.build(8))
    cell = nn.LSTMCell(16, 6).double()
    pairs = copy(cell, decoder.recurrences[0])
    prefixes = random(TARGET.positions, 8, seed=2).requires_grad_()
    state = torch.tanh(decoder.starts[0](memory().summary)).chunk(2, 1)
    values, fed, outputs = SOURCE.pad(memory().states), torch.zeros(3, 8).double(), []
    for vectors in TARGET.pad(prefixes).unbind(1):
        state = cell(torch.cat([vectors, fed], 1), state)
        scores = (state[0] @ decoder.attention.query.weight.T)[:, None] @ values.transpose(1, 2)
        context = (torch.softmax(scores + bias(), -1) @ values)[:, 0]
        fed = torch.tanh(decoder.output(torch.cat([state[0], context, vectors], 1)))
        outputs.append(fed)
    found = decoder(prefixes, TARGET, memory(), None).output
    expected = torch.stack(outputs, 1)[TARGET.mask]
    close(found, expected)
    wanted, other = zip((prefixes, prefixes), *pairs, strict=True)
    same_gradients(found, expected, wanted, other)
