"""The engine's loop: groups in, weights out; the same on any number of workers and slots.

schedule optimizer            members of the tables below
settings                      section `training` of params.yaml
team gradient memory          what workers sum, and how; what happens where memory is short
device                        what torch is told of a GPU
moving_average                of the weights, where it is asked for
holding sharding              how a team holds what it trains: copies, or parts
step loop run fit             one step; a generator of steps; with what stands between them; a start
compiler                      what of a step torch.compile makes, before the first one
recovery resume               what is no step to go on from, and where a run goes on from instead
weights averaging warmstart   by name; the mean of stored ones; those of a package as the first ones
validation                    what the weights are worth
state checkpoint folders      what a run must remember, and how it survives
lease progress                one trainer a key; what a run tells
inputs claim mirror fetched   the same where hosts share no folder, but a store
clerk writer background       who writes it, and in what thread
pace gauge operations host    how fast that is, of what the machine can, and how busy it is
profiler                      what its time goes to, operation by operation
watchdog standby              what takes too long, and what is kept then
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
