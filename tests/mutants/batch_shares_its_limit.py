"""Constraints whose limits come from the longest source of the batch."""

from dataclasses import replace

import pipeline.decoding.constraints as constraints
import pipeline.decoding.search as search

LAW = "batch"
TEST = (
    "tests/laws/test_batch_of_search.py::"
    "test_alone_in_any_order_or_in_company_a_source_gets_the_same_n_best[None-beam, short limits]"
)
WHY = "A short source may say more beside a long one, as where a limit is the padded length's."


def mutate(monkeypatch):
    original = constraints.constrain

    def constrain(*arguments, **named):
        own = original(*arguments, **named)
        return replace(own, limits=own.limits.max().expand_as(own.limits))

    monkeypatch.setattr(search, "constrain", constrain)
