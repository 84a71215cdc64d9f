"""Registering: the same content is one version, however often and by however many at once."""

import multiprocessing
import shutil
from pathlib import Path

import pytest

from pipeline.files import write_json, write_text
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.registry import register as registering
from pipeline.registry.lineage import Lineage
from pipeline.registry.register import register
from pipeline.registry.server import Registry, connect
from pipeline.registry.versions import aliases, at, download, every, find, version

LINEAGE = Lineage("abc", "no", "def", "flow-1", {"params.yaml": "registry: {model: tiny}\n"})


def test_a_package_becomes_a_version_with_its_lineage_and_is_the_challenger(
    server, make_outs, tmp_path: Path
):
    outs = make_outs("one")
    (tmp_path / "state/key-one").mkdir(parents=True)
    write_json(tmp_path / "state/key-one/record.json", {"rooms": ["begun", "continued"]})
    made = register(server, outs, tmp_path / "state", LINEAGE)
    assert (made.number, made.created) == ("1", True)
    tags = dict(made.tags)
    assert tags.pop("place").startswith(f"versions/{made.package_digest[:12]}-")
    assert tags == {
        "package_digest": made.package_digest,
        "run_key": "key-one",
        "training_rooms": "begun continued",
        "git_commit": "abc",
        "git_dirty": "no",
        "dvc_lock_digest": "def",
        "flow_run": "flow-1",
        "test.exact_match": "1.0000",
    }
    assert aliases(server) == {"challenger": "1"}
    assert find(server, made.package_digest) == at(server, "challenger") == version(server, "1")
    shutil.rmtree(outs)
    assert (download(server, made) / "MLmodel").read_text() == "model one\n"
    run = server.client.get_run(made.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"registry.model": "tiny"}
    kept = server.client.list_artifacts(made.run_id, made.tags["place"])
    names = [Path(one.path).name for one in kept]
    assert names == ["hypotheses", "ledgers", "package", "params.yaml", "scores"]


def test_the_same_content_registered_twice_is_one_version(server, make_outs, tmp_path: Path):
    outs = make_outs("one")
    first = register(server, outs, tmp_path / "state", LINEAGE)
    again = register(server, outs, tmp_path / "state", Lineage("other", "yes"))
    assert (again.number, again.created) == (first.number, False)
    assert [one.number for one in every(server)] == ["1"]
    assert register(server, make_outs("two"), tmp_path / "state", LINEAGE).number == "2"


def _register_at_once(uri: str, outs: Path, barrier, found) -> None:
    """A process of its own: it looks, finds nothing, and waits there for the other one."""
    machine = Machine(mlflow_uri=uri, state=outs.parent / "state")
    server = connect(Registry(model="tiny"), machine)
    wait_then = registering._create

    def create(*arguments):
        barrier.wait(60)
        return wait_then(*arguments)

    registering._create = create
    made = register(server, outs, outs.parent / "state", LINEAGE)
    found.put((made.number, made.created))


def test_two_processes_registering_at_once_make_one_version(machine, server, make_outs):
    outs = make_outs("one")
    context = multiprocessing.get_context("spawn")
    barrier, found = context.Barrier(2), context.Queue()
    arguments = (machine.mlflow_uri, outs, barrier, found)
    workers = [context.Process(target=_register_at_once, args=arguments) for _ in range(2)]
    for worker in workers:
        worker.start()
    answers = [found.get(timeout=90) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert sorted(answers) == [("1", False), ("1", True)]
    assert [one.number for one in every(server)] == ["1"]
    made = version(server, "1")
    places = server.client.list_artifacts(made.run_id, "versions")
    assert [one.path for one in places] == [made.tags["place"]]
    download(server, made)


def test_a_package_that_arrives_altered_makes_no_version(
    server, make_outs, tmp_path: Path, monkeypatch
):
    send = registering.upload

    def sloppy(server, run, folder, place):
        send(server, run, folder, place)
        if place.endswith("/package"):
            uri = server.client.get_run(run).info.artifact_uri
            write_text(Path(uri.removeprefix("file://")) / place / "MLmodel", "model 0ne\n")

    monkeypatch.setattr(registering, "upload", sloppy)
    with pytest.raises(Problem, match="checksum differs"):
        register(server, make_outs("one"), tmp_path / "state", LINEAGE)
    assert every(server) == []
    kept = tmp_path / "registry" / "artifacts"
    assert [path for path in kept.rglob("*") if path.is_file()] == []


def test_an_unknown_version_is_a_problem_that_names_the_known_ones(
    server, make_outs, tmp_path: Path
):
    with pytest.raises(Problem, match="one of: none is registered"):
        version(server, "1")
    register(server, make_outs("one"), tmp_path / "state", LINEAGE)
    with pytest.raises(Problem, match=r"one of: 1$"):
        version(server, "7")
    assert at(server, "champion") is None
