"""Members of a table are chosen by name, and dumped with it."""

from typing import Annotated

import pytest

from pipeline.choose import chosen, nearest
from pipeline.problems import Problem
from pipeline.settings import Settings, parse


class Cat(Settings):
    age: int = 1


class Dog(Settings):
    age: int = 1


TABLE = {"cat": Cat, "dog": Dog}
Pet = Annotated[Cat | Dog, chosen(lambda: TABLE)]


class House(Settings):
    pet: Pet = Cat()
    more: tuple[Annotated[Settings, chosen(TABLE, key="format")], ...] = ()


def test_a_member_is_built_from_its_name_and_fields():
    house = House(pet={"kind": "dog", "age": 3}, more=[{"format": "cat"}])
    assert house == House(pet=Dog(age=3), more=(Cat(),))


def test_what_is_dumped_names_its_kind_and_builds_the_same_again():
    house = House(pet=Dog(age=3), more=(Cat(),))
    dumped = house.model_dump()
    assert dumped == {"pet": {"kind": "dog", "age": 3}, "more": ({"format": "cat", "age": 1},)}
    assert House(**dumped) == house
    assert House(pet=Dog()).model_dump() != House(pet=Cat()).model_dump()
    assert House.model_validate_json(house.model_dump_json()) == house


def test_a_name_that_is_no_member_is_a_problem_with_the_nearest():
    with pytest.raises(Problem, match="unknown kind 'dgo': did you mean 'dog'"):
        parse(House, {"pet": {"kind": "dgo"}}, "params.yaml")
    with pytest.raises(Problem, match="unknown kind '5': one of: cat, dog"):
        parse(House, {"pet": {"kind": 5}}, "params.yaml")
    assert nearest("zebra", TABLE) == "one of: cat, dog"


def test_a_field_that_is_another_members_is_answered_with_its_owner():
    class Fish(Settings):
        pass

    class Tank(Settings):
        pet: Annotated[Settings, chosen(TABLE | {"fish": Fish})]

    with pytest.raises(Problem, match="unknown parameter 'age' of kind 'fish': cat, dog have it"):
        parse(Tank, {"pet": {"kind": "fish", "age": 2}}, "params.yaml")
    with pytest.raises(Problem, match="unknown parameter 'fins' of kind 'fish': it has none"):
        parse(Tank, {"pet": {"kind": "fish", "fins": 2}}, "params.yaml")


@pytest.mark.parametrize("kind", [["dog"], {"dog": 1}, None, True])
def test_a_kind_that_is_no_name_is_a_problem(kind):
    with pytest.raises(Problem, match="unknown kind") as caught:
        parse(House, {"pet": {"kind": kind}}, "params.yaml")
    assert caught.value.where == "params.yaml, pet"
