"""`seqline use RECIPE`: copy recipes/RECIPE.yaml over params.yaml."""

from pathlib import Path

from flows.edits import uncommitted
from flows.opened import locked
from flows.talk import say
from pipeline.choose import nearest
from pipeline.files import write_bytes
from pipeline.problems import Problem

PARAMS = Path("params.yaml")


def use(recipe: str) -> None:
    """Refuses where that would lose edits that neither git nor a recipe holds."""
    with locked(f"seqline use {recipe}"):
        recipes = {path.stem: path for path in Path("recipes").glob("*.yaml")}
        if recipe not in recipes:
            raise Problem(
                f"unknown recipe '{recipe}'", where="recipes/", remedy=nearest(recipe, recipes)
            )
        content = recipes[recipe].read_bytes()
        before = PARAMS.read_bytes()
        held = {path.read_bytes() for path in recipes.values()}
        if before == content:
            say(f"params.yaml is recipe {recipe} already")
            return
        if before not in held and uncommitted(str(PARAMS)):
            raise Problem(
                "params.yaml has edits that would be lost",
                where=str(PARAMS),
                remedy="commit them, or keep them as a recipe: cp params.yaml recipes/NAME.yaml",
            )
        write_bytes(PARAMS, content)
        say(f"params.yaml is recipe {recipe} now; next: seqline run")
