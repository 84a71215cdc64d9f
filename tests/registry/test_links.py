"""Links lead to pages of a server, or to folders."""

from dataclasses import replace
from pathlib import Path

from pipeline.registry.lineage import Lineage
from pipeline.registry.links import links
from pipeline.registry.register import register


def test_links_are_pages_of_a_server_or_folders_and_a_command(server, make_outs, tmp_path: Path):
    version = register(server, make_outs("one"), tmp_path / "state", Lineage())
    found = links(server, version)
    assert Path(found["package"], "MLmodel").is_file()
    assert found["browse"] == f"mlflow ui --backend-store-uri {server.uri}"
    pages = links(replace(server, uri="http://me:secret@127.0.0.1:5000"), version)
    assert pages["version"] == "http://127.0.0.1:5000/#/models/tiny/versions/1"
    assert pages["run"].endswith(f"/experiments/{server.experiment}/runs/{version.run_id}")
