"""Models: a front end, an encoder, a decoder and a generator, joined by `seq2seq.py`.

Read `seam.py` first (the contracts), then `parts.py` (what a part offers). A new part is a file
with its settings, and a line in one of these tables.
"""

from pipeline.models.frames import Frames
from pipeline.models.gru_decoder import GRUDecoderSettings
from pipeline.models.gru_encoder import GRUEncoderSettings
from pipeline.models.ids import Ids
from pipeline.models.parts import DecoderSettings, EncoderSettings, FrontSettings, GeneratorSettings
from pipeline.models.patches import Patches
from pipeline.models.pixels import Pixels
from pipeline.models.pointer import Pointer
from pipeline.models.softmax import Softmax
from pipeline.models.transformer_decoder import TransformerDecoderSettings
from pipeline.models.transformer_encoder import TransformerEncoderSettings

FRONTS: dict[str, type[FrontSettings]] = {
    "frames": Frames,
    "ids": Ids,
    "patches": Patches,
    "pixels": Pixels,
}
ENCODERS: dict[str, type[EncoderSettings]] = {
    "gru": GRUEncoderSettings,
    "transformer": TransformerEncoderSettings,
}
DECODERS: dict[str, type[DecoderSettings]] = {
    "gru": GRUDecoderSettings,
    "transformer": TransformerDecoderSettings,
}
GENERATORS: dict[str, type[GeneratorSettings]] = {"pointer": Pointer, "softmax": Softmax}
