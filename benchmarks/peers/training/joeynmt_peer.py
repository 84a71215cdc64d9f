"""JoeyNMT: its own trainer over files of ids as words. On a CPU it computes in fp32 only.

Its batches hold any lengths side by side ("no bucketing implemented"), and are counted with their
padding. Tuned, it is given batches of similar lengths, those of the Hugging Face trainer. As it
comes, a batch may hold so many places that about the same target tokens are left.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joeynmt.datasets
import joeynmt.training
import torch

from peers.training.clock import Clock, Task, buckets, read_ids, read_task

PADDED = 2.6  # places of a drawn batch, by its longest sentence, for each target token, on captions


def main() -> None:
    task = read_task()
    torch.set_num_threads(task["threads"])
    clock = Clock(task)
    sources, targets = (read_ids(task, side) for side in ("source", "target"))
    batches = buckets(task, sources, targets) if task["tuned"] else []

    class Bucketed(joeynmt.datasets.TokenBatchSampler):
        """Batches of similar lengths."""

        def __iter__(self) -> Iterator[list[int]]:
            return iter(batches)

    class Timed(joeynmt.training.TrainManager):
        """The trainer, whose steps tell the clock."""

        def _train_step(self, batch: Any) -> Any:
            clock.begin(batch.src_length.tolist(), batch.trg_mask.sum((1, 2)).tolist())
            return super()._train_step(batch)

    if task["tuned"]:
        joeynmt.datasets.TokenBatchSampler = Bucketed
    joeynmt.training.TrainManager = Timed
    joeynmt.training.train(0, 1, settings(task), skip_test=True)


def settings(task: Task) -> dict[str, Any]:
    """As JoeyNMT reads them from a file."""
    data, shape, scratch = Path(task["data"]), task["shape"], Path(task["scratch"])
    scratch.mkdir(parents=True, exist_ok=True)
    for side in ("source", "target"):
        (scratch / f"train.{side}").symlink_to(data / side)
        first = (data / side).read_text(encoding="utf-8").splitlines()[0]
        (scratch / f"dev.{side}").write_text(f"{first}\n", encoding="utf-8")
    words = {"level": "word", "voc_file": str(data / "vocabulary"), "lowercase": False}
    part = {
        "type": "transformer",
        "num_layers": shape["layers"],
        "num_heads": shape["heads"],
        "embeddings": {"embedding_dim": shape["width"], "scale": True, "dropout": 0.0},
        "hidden_size": shape["width"],
        "ff_size": shape["feedforward"],
        "dropout": shape["dropout"],
        "layer_norm": "pre",
    }
    return {
        "name": "training",
        "model_dir": str(scratch),
        "use_cuda": False,
        "fp16": False,
        "random_seed": 1,
        "data": {
            "train": str(scratch / "train"),
            "dev": str(scratch / "dev"),
            "dataset_type": "plain",
            "src": {"lang": "source", **words},
            "trg": {"lang": "target", **words},
        },
        "testing": {"beam_size": 1},
        "training": {
            "optimizer": "adamw",
            "adam_betas": [0.9, 0.98],
            "learning_rate": 1e-3,
            "scheduling": "warmupinversesquareroot",
            "learning_rate_warmup": 1,
            "learning_rate_min": 1e-9,
            "clip_grad_norm": 1.0,
            "label_smoothing": shape["label_smoothing"],
            "normalization": "tokens",
            "batch_size": round(task["tokens"] * PADDED),
            "batch_type": "token",
            "epochs": 1000,
            "updates": task["warm_up"] + task["steps"] + 2,
            "validation_freq": 1_000_000,
            "logging_freq": 1_000_000,
        },
        "model": {
            "initializer": "xavier_uniform",
            "bias_initializer": "zeros",
            "embed_initializer": "normal",
            "embed_init_weight": shape["width"] ** -0.5,
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": part,
            "decoder": part,
        },
    }


if __name__ == "__main__":
    main()
