"""What the benchmark of search gives its peers: our weights under their names, in their shapes."""

import json
import sys

import numpy as np
import pytest
import torch

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.tensors import read_tensors

WIDTH, VOCABULARY = 8, 11


@pytest.fixture
def peers(root, monkeypatch):
    """The folder of the peers as a script of benchmarks sees it."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


@pytest.fixture
def exported(peers, tiny, tmp_path):
    from peers.export import export

    model = tiny.model_of("transformer", precision="fp32")
    export(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    return model, config, read_tensors(tmp_path / "weights.safetensors")


def test_the_peers_get_our_ids_and_shapes(exported):
    _, config, weights = exported
    special = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
    assert [config[name] for name in special] == [0, 2, 3, 2]
    assert (config["vocab_size"], config["d_model"]) == (VOCABULARY, WIDTH)
    assert (config["encoder_layers"], config["decoder_ffn_dim"]) == (2, 16)
    assert weights["model.shared.weight"].shape == (VOCABULARY, WIDTH)
    for side, attentions in (("encoder", ["self"]), ("decoder", ["self", "encoder"])):
        for layer in range(2):
            block = f"model.{side}.layers.{layer}"
            assert weights[f"{block}.fc1.weight"].shape == (16, WIDTH)
            for attention in attentions:
                for one in ("q", "k", "v", "out"):
                    name = f"{block}.{attention}_attn.{one}_proj"
                    assert weights[f"{name}.weight"].shape == (WIDTH, WIDTH)
                    assert weights[f"{name}.bias"].shape == (WIDTH,)
        assert weights[f"model.{side}.layer_norm.bias"].shape == (WIDTH,)


def test_no_number_of_ours_is_lost(exported):
    model, _, weights = exported
    theirs = np.concatenate([v.ravel() for name, v in weights.items() if name != "positions"])
    ours = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    assert np.array_equal(np.sort(theirs), np.sort(ours))


def test_keys_and_values_of_the_memory_are_told_apart(exported):
    model, _, weights = exported
    keys, values = model.decoder.blocks[1].cross.memory.weight.detach().numpy().reshape(2, 8, 8)
    assert np.array_equal(weights["model.decoder.layers.1.encoder_attn.k_proj.weight"], keys)
    assert np.array_equal(weights["model.decoder.layers.1.encoder_attn.v_proj.weight"], values)


def test_the_positions_are_the_models_own(exported):
    model, _, weights = exported
    added = model.encoder.positions.add(torch.zeros(5, WIDTH), torch.arange(5), 5)
    assert np.array_equal(weights["positions"][:5], added.numpy())


@pytest.mark.parametrize("name", ["gru", "transformer, modern", "transformer to gru"])
def test_a_model_that_the_peers_have_not_is_told(peers, tiny, tmp_path, name):
    from peers.export import NoLikeError, export

    with pytest.raises(NoLikeError, match="the peers have no"):
        export(tiny.model_of(name, precision="fp32"), tmp_path)


@pytest.mark.parametrize("name", ["transformer", "gru"])
def test_a_search_without_a_cache_finds_the_same(peers, tiny, name):
    from peers.uncached import Uncached

    model = tiny.model_of(name)
    sources = [source for source, _ in tiny.examples(6)]
    found = decode(model, sources, Beam(beam_size=3), n_best=3)
    again = decode(Uncached(model), sources, Beam(beam_size=3), n_best=3)
    assert [[one.ids for one in n_best] for n_best in again] == [
        [one.ids for one in n_best] for n_best in found
    ]


def test_peers_are_asked_for_as_many_ids_as_ours(peers):
    from peers.turns import batches, limit, until_eos

    assert limit({"length": 15}, longest=7) == 15
    assert limit({"length": None}, longest=7) == 24
    assert list(batches([[3], [4, 5, 3], [4, 3]], 2)) == [[1, 2], [0]]
    assert until_eos([5, 6, 3, 7]) == [5, 6]
    assert until_eos([5, 6]) == [5, 6]
