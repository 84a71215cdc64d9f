"""Every `seqline` and `dvc` command that README shows is run here, or where this file says.

One workspace has a story: a better version becomes champion, is rolled back and promoted again;
a worse one is refused; data that drifted stops the flow.
"""

import json
import re
import shlex
import shutil

import pytest
import yaml

from flows.graph import read_graph
from flows.memory import known_files
from flows.plan import make_plan
from pipeline.corpora.selection import Corpora
from pipeline.settings import parse

ELSEWHERE = {'seqline schedule --cron "0 3 * * *"': "tests/system/test_schedule.py"}


def commands(text):
    """Commands in fences and in running text, without the words beside them."""
    parts = re.split(r"(?m)^```.*\n", text)  # text and fences in turn
    found = [re.split(r"\s{2,}", line)[0] for fence in parts[1::2] for line in fence.split("\n")]
    found += [word for running in parts[::2] for word in re.findall(r"`([^`\n]+)`", running)]
    return {command for command in found if re.match(r"(seqline|dvc) [a-z]", command)}


@pytest.fixture(scope="module")
def shown(root):
    return commands((root / "README.md").read_text())


@pytest.fixture(scope="module")
def workspace(made, tmp_path_factory):
    """A copy of the workspace after a run, which these tests change."""
    folder = tmp_path_factory.mktemp("readme") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    (folder / "letters.txt").write_text("Guten Morgen\n\nGute Nacht\n")
    (folder / "pairs.tsv").write_text("Guten Morgen\tGood morning\nGute Nacht\t\n")
    corpus = folder / "data/corpora/mine"
    corpus.mkdir(parents=True)
    (corpus / "news.de").write_text("Hallo\n")
    return folder


def change(folder, edit):
    """Edit the workspace's params."""
    path = folder / "params.yaml"
    params = yaml.safe_load(path.read_text())
    edit(params)
    path.write_text(yaml.safe_dump(params))


def ids(most):
    """At most so many ids a hypothesis."""

    def edit(params):
        params["decoding"]["search"].update(max_length_ratio=0.01, max_length_extra=most)

    return edit


def score(path):
    """What the test sets of a file of metrics scored, together."""
    return sum(scores["chrf"] for scores in json.loads(path.read_text()).values())


@pytest.fixture(scope="module")
def ran(workspace, call):
    """What each command printed, in an order in which each makes sense."""
    done = {}

    def run(command, **more):
        done[command] = call(workspace, *shlex.split(command), **more)

    run('seqline predict "Anna hat vor drei Wochen keinen Roman gelesen."')
    run("seqline predict --file letters.txt")
    run("seqline score --file pairs.tsv")
    for name in ("plan", "run", "data", "status", "register", "gate", "report"):
        run(f"seqline {name}")
    assert "version 1 of sample-de-en, which holds this content already" in done["seqline register"]
    run("dvc repro")
    for command in ("metrics show", "metrics diff", "plots show"):
        run(f"dvc {command}")
    run("dvc remote add --default store s3://bucket/folder")
    (workspace.parent / "remote").mkdir()
    call(workspace, "dvc", "remote", "modify", "store", "url", str(workspace.parent / "remote"))
    run("dvc push")
    run("dvc pull")
    run("dvc add data/corpora/mine")
    change(workspace, ids(20))
    run("seqline run -S decoding.search.beam_size=3")
    shutil.copy(workspace / "artifacts/metrics.json", workspace.parent / "better.json")
    run('seqline predict --ensemble 1 --ensemble 2 "Guten Morgen"')
    run('seqline rollback --why "worse on dates"')
    run("seqline register")  # the challenger again
    run("seqline promote")
    run("seqline history")
    run("seqline start-from champion")
    call(workspace, "git", "checkout", "-q", "params.yaml")
    run("seqline use multi30k-de-en")
    run("seqline use sample-de-en")
    run("seqline gc", stdin="y\n")
    return done


@pytest.mark.system
def test_every_command_of_the_readme_was_run(ran, shown, root):
    assert shown - ran.keys() - ELSEWHERE.keys() == set()
    for command, path in ELSEWHERE.items():
        assert command in shown
        assert shlex.split(command)[1] in (root / path).read_text()


@pytest.mark.system
def test_nothing_is_run_that_the_readme_does_not_show(ran, shown):
    assert ran.keys() - shown == set()


@pytest.mark.system
def test_the_commands_say_what_the_readme_promises(ran, workspace):
    assert "nothing is stale" in ran["seqline run"]
    assert "beam_size" in ran["seqline run -S decoding.search.beam_size=3"]
    assert len(ran["seqline predict --file letters.txt"].splitlines()) == 4  # and with which model
    assert "EOS counts in n" in ran["seqline score --file pairs.tsv"]
    assert "worse on dates" in ran["seqline history"]
    assert (workspace / "report/report.html").is_file()
    assert (workspace / "data/corpora/mine.dvc").is_file()


@pytest.mark.system
def test_better_becomes_champion_and_a_rollback_brings_the_former_one_back(ran, made, workspace):
    assert score(workspace.parent / "better.json") > score(made / "artifacts/metrics.json")
    said = ran["seqline run -S decoding.search.beam_size=3"]
    assert "version 2 registered; it is the champion now" in said
    decided = [line.split()[2:5] for line in ran["seqline history"].splitlines()]
    assert decided[-2:] == [["rollback", "2", "1"], ["promote", "1", "2"]]


@pytest.mark.system
def test_worse_is_refused(ran, workspace, call, task_runs, monkeypatch):
    monkeypatch.chdir(workspace)
    change(workspace, ids(4))
    graph = read_graph(workspace)
    plan = make_plan(graph, known_files(workspace / "state", graph))
    said = call(workspace, "seqline", "run")
    assert "version 3 registered; gate: refused" in said
    assert "refused" in (workspace / "report/report.html").read_text()
    assert "version 2 of sample-de-en" in call(workspace, "seqline", "status")
    decided = [line.split() for line in call(workspace, "seqline", "history").splitlines()]
    assert [row for row in decided if "refused" in row]
    assert "the gate refused version 3" in call(workspace, "seqline", "promote", code=1)

    became = task_runs(workspace)
    done = {"run": {"Completed"}, "run if": {"Completed", "Skipped"}, "up to date": {"Skipped"}}
    assert {one.stage for one in plan if one.action == "run"} == {"decode", "package"}
    for one in plan:  # what ran is what the plan said
        assert became[one.stage][0] in done[one.action], one


@pytest.mark.system
def test_data_that_drifted_stops_the_flow_before_it_trains(ran, workspace, call, task_runs):
    def drift(params):
        rules = {rule["kind"]: rule for rule in params["cleaning"]["rules"]}
        rules["too_long"].update(max_characters=35)
        params["gate"]["drift"] = {"too_long": 0.05}

    change(workspace, drift)
    said = call(workspace, "seqline", "run", code=1)
    assert "the data drifted" in said
    assert "too_long rose by more than 0.05" in said
    assert "train" not in task_runs(workspace)


def test_the_corpora_that_the_readme_names_are_valid(root):
    [block] = re.findall(r"(?ms)^```yaml\n(.*?)^```", (root / "README.md").read_text())
    corpora = parse(Corpora, yaml.safe_load(block)["corpora"], "README.md")
    assert [source.name for source in corpora.sources] == ["news", "talks"]


def test_places_that_the_readme_links_to_exist(root):
    for name in re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text()):
        assert (root / name).exists(), name


def test_the_file_tree_of_the_readme_is_the_projects(root):
    text = (root / "README.md").read_text().split("## Files", 1)[1]
    tree = text.split("```")[1]
    folder, found = "", []
    for line in tree.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        names = re.findall(r"(?:^|\s{2,})([a-z_]+[./][a-z.*/]*)(?=\s{2,}|$)", line)
        found += [(folder if indent else "") + name for name in names]
        folder = folder if indent else names[0]
    assert len(found) > 25
    for path in found:
        assert list(root.glob(path.rstrip("/"))), path
