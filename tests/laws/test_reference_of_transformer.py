"""Law: the Transformer's layers = torch's own, or a closed formula, on fixed numbers."""

import math
from itertools import product

import pytest
import torch
from reference import filled, random
from torch import nn
from torch.nn import functional

import pipeline.models.multihead as multihead
import pipeline.models.scaled_dot as scaled_dot
from pipeline.models.block import Places
from pipeline.models.layout import Layout
from pipeline.models.linear import NORMS, Linear, Norm
from pipeline.models.positions import Learned, Rotary, Sinusoidal, sinusoids, turned
from pipeline.models.seam import Memory, Vectors
from pipeline.models.transformer_decoder import DecoderBlock, TransformerDecoderSettings
from pipeline.models.transformer_encoder import EncoderBlock, TransformerEncoderSettings
from pipeline.models.weights import fill

CPU = torch.device("cpu")
SOURCE = Layout((3, 5, 1), CPU)
TARGET = Layout((4, 2, 3), CPU)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-9}
PRECISIONS = tuple(TOLERANCE)
SMALL = {"heads": 2, "feedforward": 12}
THEIRS = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "swiglu": lambda x: functional.silu(x[..., :12]) * x[..., 12:],
}
OPTIONS = [
    {"norm_first": first, "norm": norm, "activation": activation}
    for first, norm, activation in product((True, False), ("layer", "rms"), tuple(THEIRS))
]
options = pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())))
precisions = pytest.mark.parametrize("dtype", PRECISIONS, ids=str)


def close(ours, theirs):
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert float((ours - theirs).detach().abs().max()) < TOLERANCE[ours.dtype]


def copy_attention(theirs, stacked, output):
    theirs.in_proj_weight.data = torch.cat([linear.weight.data for linear in stacked])
    theirs.in_proj_bias.data = torch.cat([linear.bias.data for linear in stacked])
    copy(theirs.out_proj, output)


def copy(theirs, ours):
    for name, parameter in ours.named_parameters():
        assert getattr(theirs, name).shape == parameter.shape
        getattr(theirs, name).data = parameter.data.clone()


def copy_encoder(theirs, ours):
    copy_attention(theirs.self_attn, [ours.attention.project], ours.attention.output)
    copy_rest(theirs, ours, [ours.attention_norm, ours.network_norm])


def copy_decoder(theirs, ours):
    copy_attention(theirs.self_attn, [ours.attention.project], ours.attention.output)
    copy_attention(theirs.multihead_attn, [ours.cross.query, ours.cross.memory], ours.cross.output)
    copy_rest(theirs, ours, [ours.attention_norm, ours.cross_norm, ours.network_norm])


def copy_rest(theirs, ours, norms):
    """torch's layers know layer norm and one matrix inside alone: the others are put in."""
    theirs.linear1 = nn.Linear(*reversed(ours.network.widen.weight.shape)).double()
    copy(theirs.linear1, ours.network.widen)
    copy(theirs.linear2, ours.network.narrow)
    for number, norm in enumerate(norms, 1):
        kind = nn.LayerNorm(8) if isinstance(norm, Norm) else nn.RMSNorm(8, eps=1e-5)
        setattr(theirs, f"norm{number}", kind.double())
        copy(getattr(theirs, f"norm{number}"), norm)


def torchs(kind, options):
    return kind(
        8, 2, 12, 0.0, THEIRS[options["activation"]],
        batch_first=True, norm_first=options["norm_first"], dtype=torch.float64,
    )  # fmt: skip


def encoder_blocks(options):
    ours = filled(EncoderBlock(TransformerEncoderSettings(**SMALL, **options), 8))
    theirs = torchs(nn.TransformerEncoderLayer, options)
    copy_encoder(theirs, ours)
    return ours, theirs


def source_places(dtype=torch.float64):
    bias = scaled_dot.bias_of(SOURCE.mask, dtype)[:, None, None]
    return Places(SOURCE, bias, None, Sinusoidal())


def target_places(dtype=torch.float64):
    bias = scaled_dot.bias_of(scaled_dot.causal(TARGET.mask), dtype)[:, None]
    return Places(TARGET, bias, None, Sinusoidal())


def triangle(dtype):
    return nn.Transformer.generate_square_subsequent_mask(4, dtype=dtype)


def test_a_linear_map():
    vectors, linear = random(5, 8), filled(Linear(8, 6))
    close(linear(vectors), vectors @ linear.weight.T + linear.bias)


def test_stacked_maps_start_as_matrices_of_their_own():
    stacked = Linear(4, 300, 100).double()
    fill(stacked, 1)
    first, second = stacked.weight.split((300, 100))
    for part in (first, second):
        assert float(part.detach().abs().max()) == pytest.approx(
            (6 / (len(part) + 4)) ** 0.5, rel=0.02
        )


@precisions
@pytest.mark.parametrize("kind", sorted(NORMS))
def test_norms_and_their_gradients(kind, dtype):
    ours = filled(NORMS[kind](8)).to(dtype)
    theirs = {"layer": nn.LayerNorm(8), "rms": nn.RMSNorm(8, eps=1e-5)}[kind].to(dtype)
    copy(theirs, ours)
    vectors = (3 * random(5, 8) + 1).to(dtype).requires_grad_()
    close(ours(vectors), theirs(vectors))
    slope = random(5, 8, seed=1).to(dtype)
    for found, expected in zip(
        torch.autograd.grad((ours(vectors) * slope).sum(), [vectors, *ours.parameters()]),
        torch.autograd.grad((theirs(vectors) * slope).sum(), [vectors, *theirs.parameters()]),
        strict=True,
    ):
        close(found, expected)


def test_norms_are_their_formulas():
    vectors, layer, rms = random(5, 8), filled(NORMS["layer"](8)), filled(NORMS["rms"](8))
    mean, variance = vectors.mean(1, keepdim=True), vectors.var(1, unbiased=False, keepdim=True)
    close(layer(vectors), (vectors - mean) / (variance + 1e-5).sqrt() * layer.weight + layer.bias)
    close(rms(vectors), vectors / (vectors.square().mean(1, True) + 1e-5).sqrt() * rms.weight)


@precisions
@options
def test_the_transformers_encoder_block(options, dtype):
    ours, theirs = (block.to(dtype) for block in encoder_blocks(options))
    vectors = random(SOURCE.positions, 8).to(dtype)
    expected = theirs(SOURCE.pad(vectors), src_key_padding_mask=~SOURCE.mask)
    close(ours(vectors, source_places(dtype)), expected[SOURCE.mask])


@precisions
@options
def test_the_transformers_decoder_block(options, dtype):
    ours = filled(DecoderBlock(TransformerDecoderSettings(**SMALL, **options), 8))
    theirs = torchs(nn.TransformerDecoderLayer, options)
    copy_decoder(theirs, ours)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    states = random(SOURCE.positions, 8).to(dtype)
    vectors = random(TARGET.positions, 8, seed=1).to(dtype)
    memory = Memory(states, SOURCE, states[:3], None)
    found, _ = ours(vectors, memory, target_places(dtype), source_places(dtype).bias)
    expected = theirs(
        TARGET.pad(vectors),
        SOURCE.pad(states),
        tgt_mask=triangle(dtype),
        memory_key_padding_mask=~SOURCE.mask,
    )
    close(found, expected[TARGET.mask])


@pytest.mark.parametrize("first", [True, False])
def test_whole_stacks_with_their_last_norms(first):
    """Post-norm has none after the last block, whose own sum went through one."""
    options = {"norm_first": first, "activation": "relu"}
    settings = {**SMALL, "layers": 2, "norm_first": first}
    encoder = filled(TransformerEncoderSettings(**settings).build(8))
    decoder = filled(TransformerDecoderSettings(**settings).build(8))
    theirs = nn.TransformerEncoder(
        torchs(nn.TransformerEncoderLayer, options), 2, last(first), enable_nested_tensor=False
    )
    other = nn.TransformerDecoder(torchs(nn.TransformerDecoderLayer, options), 2, last(first))
    for block, layer in zip(encoder.blocks, theirs.layers, strict=True):
        copy_encoder(layer, block)
    for block, layer in zip(decoder.layers, other.layers, strict=True):
        copy_decoder(layer, block)
    if first:
        copy(theirs.norm, encoder.norm)
        copy(other.norm, decoder.norm)
    vectors, prefixes = random(SOURCE.positions, 8), random(TARGET.positions, 8, seed=1)
    memory = encoder(Vectors(vectors, SOURCE, None), None)
    told = vectors + sinusoids(SOURCE.position, 5, 8, torch.float64)
    expected = theirs(SOURCE.pad(told), src_key_padding_mask=~SOURCE.mask)
    close(memory.states, expected[SOURCE.mask])
    found = decoder(prefixes, TARGET, memory, None).output
    told = prefixes + sinusoids(TARGET.position, 4, 8, torch.float64)
    masks = {"tgt_mask": triangle(torch.float64), "memory_key_padding_mask": ~SOURCE.mask}
    close(found, other(TARGET.pad(told), expected, **masks)[TARGET.mask])


def last(first):
    return nn.LayerNorm(8, dtype=torch.float64) if first else None


def test_the_base_model_as_published_has_as_many_weights_as_torchs():
    published = {"layers": 6, "heads": 8, "feedforward": 2048, "norm_first": False}
    with torch.device("meta"):
        parts = [
            TransformerEncoderSettings(**published).build(512),
            TransformerDecoderSettings(**published).build(512),
        ]
        theirs = nn.Transformer(batch_first=True)
    last_norms = 2 * 2 * 512
    assert sum(map(weights, parts)) == weights(theirs) - last_norms == 44_138_496


def weights(module):
    return sum(parameter.numel() for parameter in module.parameters())


@precisions
def test_attention_to_ones_own_sequence(dtype):
    ours = filled(multihead.SelfAttention(8, 2, 0.0)).to(dtype)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, dtype=dtype)
    copy_attention(theirs, [ours.project], ours.output)
    vectors, places = random(SOURCE.positions, 8).to(dtype), source_places(dtype)
    padded = SOURCE.pad(vectors)
    expected, _ = theirs(padded, padded, padded, key_padding_mask=~SOURCE.mask)
    contexts = ours(ours.project(vectors), SOURCE, places.bias, None)
    close(ours.output(contexts), expected[SOURCE.mask])


@precisions
def test_attention_to_a_memory_and_its_weights(dtype):
    ours = filled(multihead.CrossAttention(8, 2, 0.0)).to(dtype)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, dtype=dtype)
    copy_attention(theirs, [ours.query, ours.memory], ours.output)
    states = random(SOURCE.positions, 8).to(dtype)
    vectors = random(TARGET.positions, 8, seed=1).to(dtype)
    (queries,) = TARGET.split_heads(ours.query(vectors), 2)
    keys, values = ours.keys_values(states, SOURCE)
    context, weights = ours.attend(queries, keys, values, source_places(dtype).bias, None)
    padded, expected = SOURCE.pad(states), TARGET.pad(vectors)
    expected, looked = theirs(expected, padded, padded, key_padding_mask=~SOURCE.mask)
    close(ours.output(TARGET.join_heads(context)), expected[TARGET.mask])
    close(TARGET.unpad(weights.mean(1)), looked[TARGET.mask])


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_attention_of_grouped_heads_and_its_gradients(groups):
    """torch's own kernel, which knows groups; and the formula with keys repeated, with dropout."""
    shapes = (2, 4, 3, 5), (2, groups, 6, 5), (2, groups, 6, 5)
    inputs = [random(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes)]
    bias = scaled_dot.bias_of(
        torch.tensor([[1] * 5 + [0], [1] * 3 + [0] * 3]).bool(), torch.float64
    )
    bias = bias[:, None, None]
    mask = (random(2, 4, 3, 6, seed=4) > 0).double() * 1.5
    context, _ = scaled_dot.Product.apply(*inputs, bias, None, 0.3)
    kernel = functional.scaled_dot_product_attention(
        *inputs, bias.expand(2, 4, 3, 6), scale=0.3, enable_gqa=True
    )
    close(context, kernel)
    context, weights = scaled_dot.Product.apply(*inputs, bias, mask, 0.3)
    keys, values = (part.repeat_interleave(4 // groups, 1) for part in inputs[1:])
    expected = torch.softmax(0.3 * inputs[0] @ keys.transpose(2, 3) + bias, -1)
    looked = (expected * mask) @ values
    close(weights, expected)
    close(context, looked)
    slopes = random(*context.shape, seed=5), random(*weights.shape, seed=6)
    found = torch.autograd.grad([context, weights], inputs, slopes)
    wanted = torch.autograd.grad([looked, expected], inputs, slopes)
    for ours, theirs in zip(found, wanted, strict=True):
        close(ours, theirs)


def test_sines_and_cosines():
    found = sinusoids(torch.tensor([0, 1, 70]), 71, 6, torch.float64)
    expected = [
        [f(p / 10000 ** (2 * i / 6)) for i in range(3) for f in (math.sin, math.cos)]
        for p in (0, 1, 70)
    ]
    close(found, torch.tensor(expected, dtype=torch.float64))


def test_learned_positions_are_rows_of_their_table():
    positions = filled(Learned("encoder", 5, 8))
    vectors = random(SOURCE.positions, 8)
    found = positions.add(vectors, SOURCE.position, SOURCE.longest)
    rows = torch.tensor([0, 1, 2, 0, 1, 2, 3, 4, 0])
    close(found, vectors + positions.weight[rows])


def test_rotary_positions_turn_points_of_the_plane():
    """exp(i · position · 10000^(-2j / width)) times channel j + i · channel (j + width / 2)."""
    heads, places = random(2, 3, 4, 6), torch.tensor([0, 1, 2, 70])
    found = turned(heads, Rotary(6).turns(places, 71, torch.float64))
    points = torch.complex(heads[..., :3], heads[..., 3:])
    frequencies = 10000 ** (-torch.arange(0, 6, 2, dtype=torch.float64) / 6)
    expected = points * torch.exp(1j * places[:, None] * frequencies)
    close(found, torch.cat([expected.real, expected.imag], -1))


def test_scores_of_rotary_positions_depend_on_distances_alone():
    query, key = random(6), random(6, seed=1)
    turns = Rotary(6).turns(torch.arange(50), 50, torch.float64)
    queries, keys = (turned(one.expand(50, 6), turns) for one in (query, key))
    scores = queries @ keys.T
    close(scores[:40, :40], scores[10:, 10:])
    close(queries.norm(dim=1), query.norm().expand(50))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_in_lower_precision_the_block_differs_by_no_more_than_torchs_own(dtype):
    ours, theirs = encoder_blocks(OPTIONS[0])
    vectors = random(SOURCE.positions, 8)
    exact = ours(vectors, source_places())
    rough = theirs.to(dtype)(SOURCE.pad(vectors).to(dtype), src_key_padding_mask=~SOURCE.mask)
    noise = float((rough[SOURCE.mask] - exact).detach().abs().max())
    found = ours.float()(vectors.to(dtype), source_places(dtype))
    assert found.dtype == dtype
    assert float((found - exact).detach().abs().max()) <= 2 * noise
