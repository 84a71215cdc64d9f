"""Slots: how a machine cuts a group. Nothing here changes a step, beyond rounding.

A group is sorted by length and cut into slots of equal estimated cost, at most `slot_cost` each; an
example above that is a slot alone. Slots are dealt to the workers so that their costs are even.
"""

from bisect import bisect_right
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

CPU_SLOT_COST = 4096  # more only pads more
GPU_SLOT_COST_PER_GIB = 512  # of the device's memory

Places = NDArray[np.int64]  # an example's place in its group


def slot_cost(setting: int | Literal["auto"], device: torch.device) -> int:
    """The largest cost of a slot; `auto` is a function of the kind of device and its memory."""
    if setting != "auto":
        return setting
    if device.type == "cpu":
        return CPU_SLOT_COST
    return GPU_SLOT_COST_PER_GIB * (torch.cuda.get_device_properties(device).total_memory >> 30)


def deal(
    source_lengths: NDArray[np.integer],
    target_lengths: NDArray[np.integer],
    *,
    workers: int,
    slot_cost: int,
) -> list[list[Places]]:
    """For every worker its slots, each the places of similar lengths. Cost: source + target ids."""
    order = np.lexsort((source_lengths, target_lengths))
    costs = (source_lengths + target_lengths).astype(np.int64)
    return _share(_cut(order, costs, workers, slot_cost), costs, workers)


def _cut(order: Places, costs: Places, workers: int, slot_cost: int) -> list[Places]:
    """The fewest slots (a multiple of the workers) within `slot_cost`, as even as can be."""
    ends: list[int] = np.cumsum(costs[order]).tolist()  # looked up a few dozen times, one by one
    fewest = len(_pack(ends, slot_cost))
    wanted = -(-fewest // workers) * workers
    low, high = max(1, ends[-1] // wanted), slot_cost
    while low < high:  # the smallest limit that needs no more than the wanted slots
        middle = (low + high) // 2
        if len(_pack(ends, middle)) <= wanted:
            high = middle
        else:
            low = middle + 1
    return np.split(order, _pack(ends, high)[:-1])


def _pack(ends: list[int], limit: int) -> list[int]:
    """Ends of slots filled up to `limit` one after the other; at least one example each."""
    cuts: list[int] = []
    begin, spent = 0, 0
    while begin < len(ends):
        begin = max(begin + 1, bisect_right(ends, spent + limit, begin))
        spent = ends[begin - 1]
        cuts.append(begin)
    return cuts


def _share(slots: list[Places], costs: Places, workers: int) -> list[list[Places]]:
    """Longest first, each to the worker with the least so far (then the lowest number)."""
    loads = [0] * workers
    shares: list[list[Places]] = [[] for _ in range(workers)]
    for slot in sorted(slots, key=lambda places: -int(costs[places].sum())):
        worker = loads.index(min(loads))
        loads[worker] += int(costs[slot].sum())
        shares[worker].append(slot)
    return shares
