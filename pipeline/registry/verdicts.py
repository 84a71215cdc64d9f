"""Verdicts: stored with the challenger, once for each champion, test rows and gate settings."""

from typing import Any

from pipeline.files import canonical_json, digest, read_json
from pipeline.records import Check, Verdict, Version
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.storage import fetch, names, upload_texts


def verdict_name(verdict: Verdict) -> str:
    """A file name from all that a verdict is about, and nothing of what it says."""
    about = [verdict.champion, verdict.test_digest, verdict.settings_digest]
    return f"{digest(about)[:16]}.json"


def _place(version: Version) -> str:
    return f"{version.tags['place']}/verdicts"


@answered
def find_verdict(server: Server, challenger: Version, name: str) -> Verdict | None:
    """The stored verdict of this name, if there is one."""
    if name not in names(server, challenger.run_id, _place(challenger)):
        return None
    with fetch(server, challenger.run_id, _place(challenger)) as folder:
        return _verdict(read_json(folder / name))


@answered
def store_verdict(server: Server, challenger: Version, verdict: Verdict) -> Verdict:
    """Store a verdict unless one on the same is there; returns the one that is."""
    name = verdict_name(verdict)
    known = find_verdict(server, challenger, name)
    if known is not None:
        return known
    text = canonical_json(verdict, indent=2) + "\n"
    upload_texts(server, challenger.run_id, {name: text}, _place(challenger))
    against = f" against {verdict.champion}" if verdict.champion else ""
    client = server.client
    client.set_model_version_tag(
        server.model, challenger.number, "verdict", verdict.outcome + against
    )
    return verdict


@answered
def verdicts(server: Server, version: Version) -> list[Verdict]:
    """All stored verdicts on a version."""
    if not names(server, version.run_id, _place(version)):
        return []
    with fetch(server, version.run_id, _place(version)) as folder:
        return [_verdict(read_json(path)) for path in sorted(folder.glob("*.json"))]


def _verdict(content: dict[str, Any]) -> Verdict:
    checks = tuple(_check(check) for check in content.pop("checks"))
    return Verdict(**content, checks=checks)


def _check(content: dict[str, Any]) -> Check:
    """Verdicts of older versions do not say which way is better: only drift was to be low."""
    older = {"lower_is_better": content["name"].startswith("drift ")}
    return Check(**(older | content))
