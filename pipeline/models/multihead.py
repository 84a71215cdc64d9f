"""Multi-head attention (Vaswani et al. 2017): of positions to their own sequence, or to a memory.

Linear maps work on flat positions; only the products between positions see a padded view
(`scaled_dot.py`). On a GPU a fused kernel serves where it can (`fused.py`).

Grouped queries (Ainslie et al. 2023, arXiv 2305.13245): G heads of keys and values serve H heads of
queries, H / G neighbours each; G = 1 is Shazeer's (2019) multi-query attention.
"""

from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.models.fused import attended
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.positions import Turns, turned
from pipeline.models.scaled_dot import Attend


class SelfAttention(nn.Module):
    """Positions attend to positions of their own sequence."""

    def __init__(self, width: int, heads: int, dropout: float, groups: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.groups = groups or heads
        shared = width // heads * self.groups
        self.project = Linear(width, width, shared, shared)
        self.attend = Attend(width, heads, dropout)
        self.output = Linear(width, width)

    def forward(
        self,
        projected: Float[Tensor, "positions queries_keys_values"],
        layout: Layout,
        bias: Float[Tensor, "sequences one ... longest"],
        keys: Int[Tensor, "sequences longest"] | None,
        turns: Turns | None = None,
    ) -> Float[Tensor, "positions width"]:
        """Contexts that `output` has not mapped yet, of what `project` made of vectors.

        `keys` are the positions' keys in the padded view; `turns` those of its columns.
        """
        split = layout.split_heads(projected, self.heads, self.groups, self.groups)
        query, key, value = split
        if turns is not None:
            query, key = turned(query, turns), turned(key, turns)
        context, _ = self.attend(query, key, value, bias, keys)
        return layout.join_heads(context)

    def fused(
        self,
        projected: Float[Tensor, "positions queries_keys_values"],
        layout: Layout,
        turns: Turns | None,
        *,
        causal: bool,
    ) -> Float[Tensor, "positions width"]:
        """Contexts that `output` has not mapped yet, of what `project` made, on a GPU. `turns` are
        those of the positions."""
        query, key, value = projected.split(self.project.widths_out, dim=-1)
        query, key = query.unflatten(-1, (self.heads, -1)), key.unflatten(-1, (self.groups, -1))
        if turns is not None:
            query, key = turned(query, turns), turned(key, turns)
        value = value.unflatten(-1, (self.groups, -1))
        return attended(query, key, value, layout, layout, causal=causal)

    def step_inputs(
        self, vectors: Float[Tensor, "hypotheses width"], turns: Turns | None = None
    ) -> tuple[
        Float[Tensor, "hypotheses heads head_width"],
        Float[Tensor, "hypotheses shared"],
        Float[Tensor, "hypotheses shared"],
    ]:
        """This step's query, key and value; a key is turned once, before it is kept."""
        query, key, value = self.project(vectors).split(self.project.widths_out, dim=-1)
        query = query.unflatten(-1, (self.heads, -1))
        if turns is not None:
            query = turned(query[:, :, None], turns)[:, :, 0]
            key = turned(key.unflatten(-1, (self.groups, 1, -1)), turns).flatten(1)
        return query, key, value

    def step(
        self,
        query: Float[Tensor, "sources beams heads head_width"],
        keys: Float[Tensor, "sources groups columns head_width"],
        values: Float[Tensor, "sources groups columns head_width"],
        bias: Float[Tensor, "sources one beams columns"],
    ) -> Float[Tensor, "sources beams width"]:
        """The last position of each hypothesis attends to its own columns of the cache: contexts
        that `output` has not mapped yet."""
        context, _ = self.attend(query.transpose(1, 2), keys, values, bias, None)
        return context.transpose(1, 2).flatten(2)


class CrossAttention(nn.Module):
    """Positions of a target attend to their source's memory, whose keys are made once."""

    def __init__(self, width: int, heads: int, dropout: float, groups: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.groups = groups or heads
        self.query = Linear(width, width)
        self.memory = Linear(width, width // heads * self.groups, parts=2)
        self.attend = Attend(width, heads, dropout)
        self.output = Linear(width, width)

    def keys_values(
        self, states: Float[Tensor, "positions width"], layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """Keys and values of a memory `[sources, groups, longest, width / heads]`."""
        keys, values = layout.split_heads(self.memory(states), self.groups, self.groups)
        return keys, values

    def fused(
        self,
        query: Float[Tensor, "positions width"],
        states: Float[Tensor, "memory width"],
        layout: Layout,
        memory: Layout,
    ) -> Float[Tensor, "positions width"]:
        """Contexts that `output` has not mapped yet, on a GPU, of what `query` has mapped."""
        keys, values = self.memory(states).unflatten(-1, (2 * self.groups, -1)).chunk(2, dim=1)
        query = query.unflatten(-1, (self.heads, -1))
        return attended(query, keys, values, layout, memory, causal=False)
