"""Pieces: text ⇄ ids, the same in training, decoding and serving."""

from pipeline.pieces.bpe import Bpe
from pipeline.pieces.trainer import Trainer
from pipeline.pieces.unigram import Unigram

TRAINERS: dict[str, type[Trainer]] = {
    "bpe": Bpe,
    "unigram": Unigram,
}
