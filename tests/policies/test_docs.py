"""The pages of docs/ say what the code says."""

import pytest


@pytest.mark.parametrize("page", ["parameters.md", "machine.md", "models.md"])
def test_a_generated_page_is_current(generator, root, page):
    assert (root / "docs" / page).read_text() == generator.pages()[page], "run: make docs"


def test_every_setting_says_what_it_is(generator):
    kinds = {generator.Machine}
    for part, _ in generator.sections().values():
        found = settings(generator, part)
        kinds |= {*found, *(kind for top in found for kind in members(generator, top))}
    silent = [
        f"{kind.__module__}.{kind.__name__}.{name}"
        for kind in kinds
        for name in kind.model_fields.keys() - generator.meanings(kind).keys()
    ]
    assert sorted(silent) == []


def members(generator, kind):
    """The settings classes that stand in the fields of `kind`, at any depth."""
    for _, part in generator.inside(kind):
        yield from settings(generator, part)


def settings(generator, part):
    """A settings class, or those of a table."""
    return list(part.members.values()) if isinstance(part, generator.Choice) else [part]


def test_every_section_of_the_params_is_described(generator, root):
    import yaml

    assert set(yaml.safe_load((root / "params.yaml").read_text())) == set(generator.sections())
