"""Versions: what is registered, by number, alias or content, and where its files are."""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import empty_folder, read_manifest
from pipeline.problems import Problem
from pipeline.records import Version
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.storage import download as download_folder
from pipeline.registry.storage import local_path

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"


@answered
def find(server: Server, package_digest: str) -> Version | None:
    """The version of this content, if it is registered."""
    return next(iter(every(server, package_digest)), None)


@answered
def at(server: Server, alias: str) -> Version | None:
    """The version that an alias names, if it names one."""
    number = aliases(server).get(alias)
    return None if number is None else version(server, number)


@answered
def aliases(server: Server) -> dict[str, str]:
    """Alias → number of the version that it names."""
    from mlflow.exceptions import MlflowException

    try:
        found = server.client.get_registered_model(server.model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {str(alias): str(number) for alias, number in found.aliases.items()}


@answered
def version(server: Server, number: str) -> Version:
    """The version of this number; a Problem where there is none."""
    found = every(server)
    for one in found:
        if one.number == number:
            return one
    raise Problem(
        "no such version",
        where=f"registry of {server.model}",
        value=number,
        remedy=f"one of: {', '.join(one.number for one in found) or 'none is registered'}",
    )


@answered
def every(server: Server, package_digest: str = "") -> list[Version]:
    """Versions, the lowest number first; all of them, or those of one content."""
    condition = f"name = '{server.model}'"
    if package_digest:
        condition += f" and tags.package_digest = '{package_digest}'"
    found: list[ModelVersion] = []
    token: str | None = None
    while token is None or token:
        page = server.client.search_model_versions(condition, 1000, page_token=token)
        found += page
        token = page.token or ""
    return [_version(one) for one in sorted(found, key=lambda one: int(one.version))]


def _version(found: "ModelVersion") -> Version:
    return Version(
        name=found.name,
        number=str(found.version),
        package_digest=found.tags.get("package_digest", ""),
        run_id=str(found.run_id),
        source=str(found.source),
        tags=dict(found.tags),
    )


def hypotheses_folder(rows: str) -> str:
    """Where a version keeps its hypotheses of the test set with this digest of rows."""
    return f"hypotheses/{rows[:16]}"


@answered
def download(server: Server, version: Version) -> Path:
    """The version's package on this machine, verified; what was downloaded before is kept."""
    local = local_path(version.source)
    if local is not None:
        read_manifest(local)
        return local
    folder = server.state / "versions" / f"{version.name}-{version.number}"
    package = folder / version.tags["place"] / "package"
    try:
        read_manifest(package)
    except Problem:
        place = f"{version.tags['place']}/package"
        package = download_folder(server, version.run_id, place, empty_folder(folder))
        read_manifest(package)
    return package
