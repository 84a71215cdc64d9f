"""Models: a front end, an encoder, a decoder and a generator, joined by `seq2seq.py`.

Read `seam.py` first (the contracts), then `parts.py` (what a part offers). A new part is a file
with its settings, and a line in one of these tables.
"""

from pipeline.models.additive import Additive
from pipeline.models.attention import AttentionSettings
from pipeline.models.decay import Decay, Exponential, InverseSigmoid, Linear
from pipeline.models.dot import Dot
from pipeline.models.frames import Frames
from pipeline.models.general import General
from pipeline.models.ids import Ids
from pipeline.models.parts import DecoderSettings, EncoderSettings, FrontSettings, GeneratorSettings
from pipeline.models.patches import Patches
from pipeline.models.pixels import Pixels
from pipeline.models.pointer import Pointer
from pipeline.models.recurrent_decoder import (
    GRUDecoderSettings,
    LSTMDecoderSettings,
    RNNDecoderSettings,
)
from pipeline.models.recurrent_encoder import (
    GRUEncoderSettings,
    LSTMEncoderSettings,
    RNNEncoderSettings,
)
from pipeline.models.softmax import Softmax
from pipeline.models.summary import Summary
from pipeline.models.transformer_decoder import TransformerDecoderSettings
from pipeline.models.transformer_encoder import TransformerEncoderSettings

FRONTS: dict[str, type[FrontSettings]] = {
    "frames": Frames,
    "ids": Ids,
    "patches": Patches,
    "pixels": Pixels,
}
ENCODERS: dict[str, type[EncoderSettings]] = {
    "rnn": RNNEncoderSettings,
    "gru": GRUEncoderSettings,
    "lstm": LSTMEncoderSettings,
    "transformer": TransformerEncoderSettings,
}
DECODERS: dict[str, type[DecoderSettings]] = {
    "rnn": RNNDecoderSettings,
    "gru": GRUDecoderSettings,
    "lstm": LSTMDecoderSettings,
    "transformer": TransformerDecoderSettings,
}
GENERATORS: dict[str, type[GeneratorSettings]] = {"pointer": Pointer, "softmax": Softmax}
DECAYS: dict[str, type[Decay]] = {
    "exponential": Exponential,
    "inverse_sigmoid": InverseSigmoid,
    "linear": Linear,
}
ATTENTIONS: dict[str, type[AttentionSettings]] = {
    "additive": Additive,
    "dot": Dot,
    "general": General,
    "none": Summary,
}
