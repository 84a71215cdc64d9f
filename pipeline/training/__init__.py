"""The engine's loop: groups in, weights out; the same on any number of workers and slots.

schedule optimizer            members of the tables below
settings                      section `training` of params.yaml
team gradient                 what workers sum, and how
moving_average                of the weights, where it is asked for
step loop fit                 one step; a generator of steps; steps with validation and checkpoints
weights warmstart             a model's weights by name; those of a package as the first ones
validation                    what the weights are worth
state checkpoint folders      what a run must remember, and how it survives
lease progress clerk          one trainer a key; what a run tells; who writes it
runkey finished               what a run is called, and what it leaves
"""

from pipeline.training.optimizer import AdamW
from pipeline.training.schedule import Cosine, InverseSqrt, Linear, Schedule

SCHEDULES: dict[str, type[Schedule]] = {
    "inverse_sqrt": InverseSqrt,
    "linear": Linear,
    "cosine": Cosine,
}

OPTIMIZERS: dict[str, type[AdamW]] = {
    "adamw": AdamW,
}
