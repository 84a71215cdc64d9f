"""Dot attention with the Transformer's scale."""

import pipeline.models.dot as dot

LAW = "reference"
TEST = "tests/laws/test_reference_of_recurrence.py::test_attention_by_products_is_torchs[dot-False]"
WHY = "Products are divided by the root of the width, which is another attention."


def mutate(monkeypatch):
    original = dot.products
    monkeypatch.setattr(
        dot, "products", lambda queries, keys: original(queries, keys) / keys.shape[-1] ** 0.5
    )
