"""A tiny honest model made of tables, and what a search must find in it, by plain Python.

The next id's distribution depends on the source and on everything said before (folded into one of
`rooms` numbers), so that a state that was moved wrongly says something else.
"""

import math
from dataclasses import dataclass

import torch

BOS, EOS = 2, 3
ROOMS = 101


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """`fixed` per source: its number and its length; `moving` per hypothesis: where it is."""

    sources: torch.Tensor  # [N]
    lengths: torch.Tensor  # [N]
    attention: bool
    rooms: torch.Tensor  # [N, K]

    def select(self, sources, beams):
        every = slice(None) if sources is None else sources
        rooms = self.rooms[every].take_along_dim(beams, 1)
        return Carried(self.sources[every], self.lengths[every], self.attention, rooms)


class Markov:
    """Log-probabilities [ROOMS, ROOMS, V] by source and by what was said; attention likewise."""

    def __init__(self, vocabulary, seed, *, levels=None, attends=True, sharpness=1.0):
        generator = torch.Generator().manual_seed(seed)
        shape = (ROOMS, ROOMS, vocabulary)
        values = sharpness * torch.randn(shape, generator=generator, dtype=torch.float64)
        if levels is not None:  # few different values: many ties
            values = (values * levels).round() / levels
        self.table = values.log_softmax(-1)
        self.looks = torch.randn((ROOMS, 64), generator=generator, dtype=torch.float64)
        self.vocabulary, self.attends, self.steps, self.work = vocabulary, attends, 0, 0

    def encode(self, batch, *, attention=False, steady=False):
        lengths = torch.tensor(batch.source.lengths)
        sums = torch.stack([part.sum() for part in batch.source.values.split(batch.source.lengths)])
        rooms = torch.zeros(batch.count, 1, dtype=torch.int64)
        return Carried(sums % ROOMS, lengths, attention and self.attends, rooms)

    def advance(self, ids, state):
        self.steps, self.work = self.steps + 1, self.work + ids.numel()
        rooms = (state.rooms * 7 + ids + 1) % ROOMS
        log_probs = self.table[state.sources[:, None], rooms]
        attention = self._attention(rooms, state.lengths) if state.attention else None
        return log_probs, attention, Carried(state.sources, state.lengths, state.attention, rooms)

    def _attention(self, rooms, lengths):
        width = int(lengths.max())
        padding = torch.arange(width) >= lengths[:, None]
        looks = self.looks[rooms][:, :, :width]
        return looks.masked_fill(padding[:, None], -math.inf).softmax(-1)

    def next(self, source, prefix):
        """The log-probabilities after `prefix`, without any of what search uses."""
        room = 0
        for id in (BOS, *prefix):
            room = (room * 7 + id + 1) % ROOMS
        return self.table[sum(source) % ROOMS, room].tolist()

    def looked(self, source, prefix):
        """The attention while choosing what follows `prefix`."""
        room = 0
        for id in (BOS, *prefix):
            room = (room * 7 + id + 1) % ROOMS
        return self.looks[room, : len(source)].softmax(-1).tolist()


def forced_sum(model, source, ids):
    """The log-probability of a whole target (EOS included in `ids`), one id after the other."""
    return sum(model.next(source, ids[:t])[id] for t, id in enumerate(ids))


def coverage(model, source, ids):
    """Σ over source positions of log(min(Σ of the attention there, 1))."""
    rows = [model.looked(source, ids[:t]) for t in range(len(ids))]
    return sum(math.log(min(1.0, max(1e-9, sum(column)))) for column in zip(*rows, strict=True))


def every_target(vocabulary, limit, prefix=()):
    """All sequences of at most `limit` ids that end in EOS, and begin as they must."""
    open_ends = [tuple(prefix)]
    while open_ends:
        yield from ((*one, EOS) for one in open_ends if len(one) < limit)
        free = range(EOS + 1, vocabulary)
        open_ends = [(*one, id) for one in open_ends if len(one) + 1 < limit for id in free]


def plain_beam(following, places, limit, prefix=(), may=None):
    """The law of a step, word for word: [(ids with EOS, sum)] in the order in which they ended."""
    live, finished = [((), 0.0)], []
    while live:
        options = []
        for beam, (ids, total) in enumerate(live):
            for id, value in enumerate(following(ids)):
                if allowed(id, ids, limit, prefix) if may is None else id in may(ids):
                    options.append((-(total + value), id, beam, (*ids, id)))
        best = sorted(options)[: places - len(finished)]
        finished += [(ids, -cost) for cost, id, _, ids in best if id == EOS]
        live = [(ids, -cost) for cost, id, _, ids in best if id != EOS]
    return finished


def plain_diverse_beam(following, places, groups, strength, may):
    """Groups one after the other in each step: what earlier ones took costs later ones."""
    live = [[((), 0.0)] for _ in range(groups)]
    finished = [[] for _ in range(groups)]
    while any(live):
        said = []
        for group in range(groups):
            options = []
            for beam, (ids, total) in enumerate(live[group]):
                for id, value in enumerate(following(ids)):
                    if id in may(ids):
                        dear = total + (value - strength * said.count(id))
                        options.append((-dear, id, beam, (*ids, id), total + value))
            best = sorted(options)[: places // groups - len(finished[group])]
            said += [id for _, id, _, _, _ in best]
            finished[group] += [(ids, total) for _, id, _, ids, total in best if id == EOS]
            live[group] = [(ids, total) for _, id, _, ids, total in best if id != EOS]
    return [one for group in finished for one in group]


def allowed(id, ids, limit, prefix):
    if len(ids) + 1 == limit:
        return id == EOS
    return id == prefix[len(ids)] if len(ids) < len(prefix) else id >= EOS


def may_say(ids, vocabulary, limit, *, prefix=(), least=0, ngram=None, outputs=None):
    """What may follow `ids`, by the law of constraints; `outputs` (without EOS) are allowed."""
    step = len(ids)
    if step + 1 == limit:
        return {EOS}
    if step < len(prefix):
        return {prefix[step]}
    may = set(range(EOS, vocabulary))
    if outputs is not None:
        whole = [(*one, EOS) for one in outputs if len(one) < limit]
        may = {one[step] for one in whole if one[:step] == tuple(ids) and len(one) > step}
    if ngram is not None:
        said = {ids[at : at + ngram] for at in range(step - ngram + 1)}
        may = {id for id in may if (*ids, id)[-ngram:] not in said or step + 1 < ngram} or may
    if step + 1 < least:
        may = may - {EOS} or may
    return may


def every_allowed(may):
    """All sequences, EOS at the end, whose ids each may be said."""
    open_ends = [()]
    while open_ends:
        longer = [(*one, id) for one in open_ends for id in sorted(may(one))]
        yield from (one for one in longer if one[-1] == EOS)
        open_ends = [one for one in longer if one[-1] != EOS]
