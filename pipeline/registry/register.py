"""Register: put a package into the registry. The same content gives the same version.

MLflow knows no uniqueness, so the version's number is the claim: whoever creates a version then
looks for its digest, and unless its number is the lowest, withdraws it. Numbers grow, and a later
one is given only after the earlier was stored, so of any number of processes the first stays.
A version's files are in its run, in a folder of its own: package, hypotheses, ledgers, verdicts.
"""

import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from pipeline.files import canonical_json, read_json, read_manifest
from pipeline.outputs import read_outputs, rows_digest
from pipeline.problems import Problem
from pipeline.records import Version
from pipeline.registry.answers import answered
from pipeline.registry.lineage import Lineage
from pipeline.registry.runs import follow, log_parameters, run_of
from pipeline.registry.server import Server
from pipeline.registry.storage import fetch, forget, upload, upload_texts
from pipeline.registry.versions import CHALLENGER, CHAMPION, at, every, find, hypotheses_folder

KEPT_OUTS = ("ledgers", "scores")


@answered
def register(server: Server, outs: Path, state: Path, lineage: Lineage) -> Version:
    """The version of the package in `outs`: uploaded and verified first, unless it is there.

    Works from outs alone; where `state` still holds the training's progress, the rest is sent.
    """
    package_digest = str(read_manifest(outs / "package")["package_digest"])
    run_key = str(read_json(outs / "model" / "run.json")["run_key"])
    follow(server, run_key, state / run_key / "progress.jsonl")
    found = find(server, package_digest)
    if found is None:
        tags = {"package_digest": package_digest, **_tags(state, run_key), **lineage.tags()}
        found = _claim(server, outs, tags, lineage)
    champion = at(server, CHAMPION)
    if champion is None or champion.number != found.number:
        server.client.set_registered_model_alias(server.model, CHALLENGER, found.number)
    return found


def _tags(state: Path, run_key: str) -> dict[str, str]:
    """The run key, and the digests of the rooms that trained, where state/ still knows it."""
    record = state / run_key / "record.json"
    rooms = " ".join(read_json(record)["rooms"]) if record.is_file() else "unknown"
    return {"run_key": run_key, "training_rooms": rooms}


def _claim(server: Server, outs: Path, tags: dict[str, str], lineage: Lineage) -> Version:
    """Upload to a place of our own, verify, create; withdraw where another was first."""
    package_digest = tags["package_digest"]
    run = run_of(server, tags["run_key"])
    log_parameters(server, run, _parameters(lineage))
    place = f"versions/{package_digest[:12]}-{secrets.token_hex(4)}"
    try:
        _upload(server, run, place, outs, lineage)
        _verify(server, run, place, package_digest)
    except BaseException:
        with suppress(Exception):  # the server may be away
            forget(server, run, place)
        raise
    mine = _create(server, run, place, {**tags, "place": place, **_scores(outs)})
    first = every(server, package_digest)[0]
    server.client.set_terminated(run)
    if first.number == mine:
        return replace(first, created=True)
    server.client.delete_model_version(server.model, mine)
    forget(server, run, place)
    return first


def _scores(outs: Path) -> dict[str, str]:
    """Each test set's scores as tags, for whoever looks at the version in MLflow."""
    found: dict[str, dict[str, float]] = read_json(outs / "metrics.json")
    return {
        f"{test_set}.{metric}": f"{value:.4f}"
        for test_set, scores in found.items()
        for metric, value in scores.items()
    }


def _upload(server: Server, run: str, place: str, outs: Path, lineage: Lineage) -> None:
    upload(server, run, outs / "package", f"{place}/package")
    upload_texts(server, run, lineage.files, place)
    for name in KEPT_OUTS:
        if (outs / name).is_dir():
            upload(server, run, outs / name, f"{place}/{name}")
    for test_set, outputs in read_outputs(outs / "hypotheses").items():
        text = "".join(canonical_json(row) + "\n" for row in outputs)
        folder = f"{place}/{hypotheses_folder(rows_digest(outputs))}"
        upload_texts(server, run, {f"{test_set}.jsonl": text}, folder)


def _verify(server: Server, run: str, place: str, package_digest: str) -> None:
    """What arrived is what was sent, before any version points to it."""
    with fetch(server, run, f"{place}/package") as folder:
        arrived = read_manifest(folder)["package_digest"]
    if arrived != package_digest:
        raise Problem("another package arrived than was sent", value=arrived, retry=True)


def _parameters(lineage: Lineage) -> dict[str, Any]:
    return yaml.safe_load(lineage.files.get("params.yaml", "{}"))


def _create(server: Server, run: str, place: str, tags: dict[str, str]) -> str:
    """The number of a new version."""
    from mlflow.exceptions import MlflowException

    try:
        server.client.create_registered_model(server.model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{server.client.get_run(run).info.artifact_uri}/{place}/package"
    made = server.client.create_model_version(server.model, source, run, tags=tags)
    return str(made.version)
