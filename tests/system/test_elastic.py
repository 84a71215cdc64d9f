"""An elastic team on Ray: however many workers it has, the order of the data stays what it is."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.system


def test_a_team_that_grows_and_shrinks_takes_the_same_pairs_in_each_step(
    engine, elastic, root, tmp_path
):
    examples = engine.write_examples(tmp_path / "examples")
    script = [sys.executable, str(root / "tests" / "elastic.py"), str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    expected, model = {}, engine.tiny_model(precision="fp32")
    original = model.losses

    def losses(batch, chance):
        if chance is not None:
            expected.setdefault(chance.step, set()).update(elastic.pairs_of(batch))
        return original(batch, chance)

    model.losses = losses
    engine.run(tmp_path / "alone", examples, elastic.settings(), model=model)
    seen = {}
    for path in tmp_path.glob("seen-*"):
        for step, pairs in elastic.lines(path):
            seen.setdefault(step, set()).update(pairs)
    assert seen == expected
    assert {path.name.split("-")[1] for path in tmp_path.glob("seen-*")} == {"0", "1"}
    assert (tmp_path / "weights" / "weights.safetensors").exists()
