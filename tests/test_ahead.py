import pytest

from pipeline.ahead import ahead


def test_the_items_come_in_order_and_a_few_are_made_early():
    made = []

    def items():
        for i in range(6):
            made.append(i)
            yield i

    stream = ahead(items(), depth=2)
    assert next(stream) == 0
    assert len(made) <= 4
    assert list(stream) == [1, 2, 3, 4, 5]


def test_nothing_comes_from_nothing():
    assert list(ahead([])) == []


def test_an_error_comes_after_what_went_well():
    def items():
        yield 1
        raise ValueError("second")

    stream = ahead(items())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="second"):
        next(stream)
