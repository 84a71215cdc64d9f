"""`seqline register`: put the package in artifacts/ into the registry, without running anything."""

from flows.opened import locked
from flows.release import outside
from flows.talk import say


def register() -> None:
    """The same content gives the same version."""
    with locked("seqline register") as machine:
        version = outside(machine).register()
    known = "" if version.created else ", which holds this content already"
    say(f"version {version.number} of {version.name}{known}")
