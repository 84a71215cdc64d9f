"""Pieces: text ⇄ ids, the same in training, decoding and serving."""

from pipeline.pieces.bpe import Bpe
from pipeline.pieces.bpe_dropout import BpeDropout
from pipeline.pieces.character import Character
from pipeline.pieces.n_best import NBest
from pipeline.pieces.sampler import Sampler
from pipeline.pieces.trainer import Trainer
from pipeline.pieces.unigram import Unigram
from pipeline.pieces.word import Word

TRAINERS: dict[str, type[Trainer]] = {
    "bpe": Bpe,
    "character": Character,
    "unigram": Unigram,
    "word": Word,
}

SAMPLERS: dict[str, type[Sampler]] = {
    "bpe_dropout": BpeDropout,
    "n_best": NBest,
}
