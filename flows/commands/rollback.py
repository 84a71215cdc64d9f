"""`seqline rollback`: bring the former champion back."""

from flows.opened import opened
from flows.release import outside, who
from flows.talk import say
from pipeline.registry.champion import rollback as decide


def rollback(why: str) -> None:
    """Follows the history of decisions."""
    server = outside(opened()).server
    made = decide(server, who=who(), why=why or "by hand")
    say(f"version {made.to_version} of {server.model} is the champion again")
