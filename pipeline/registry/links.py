"""Links: where people find a version's run, files and page."""

from pipeline.records import Version
from pipeline.registry.addresses import public
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.storage import local_path


@answered
def links(server: Server, version: Version) -> dict[str, str]:
    """Name → address: pages of a server, or folders and the command that shows them."""
    folder = local_path(version.source)
    found = {"package": public(version.source) if folder is None else str(folder)}
    uri = public(server.uri)
    if uri.startswith(("http://", "https://")):
        base = f"{uri.rstrip('/')}/#"
        found["version"] = f"{base}/models/{server.model}/versions/{version.number}"
        found["run"] = f"{base}/experiments/{server.experiment}/runs/{version.run_id}"
    else:
        found["browse"] = f"mlflow ui --backend-store-uri {uri}"
    return found
