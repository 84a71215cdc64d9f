"""Eole: its own `train` over files of ids as words, in batches that it makes of similar lengths.

One bucket holds the whole corpus; a batch is counted with its padding and by its longer side, so it
may hold so many more than ours that about the same target tokens are left. Its sources end without
EOS, which saves it a source token a sentence. bf16 is autocast with float32 weights (`use_amp`),
its default. Data are read in the training process: loaders of their own would take its cores. As it
comes, it differs from the tuned one by the allocator alone.
"""

from pathlib import Path
from typing import Any

import eole.trainer
import torch
from eole.config.run import TrainConfig
from eole.train_single import main as train

from peers.training.clock import Clock, Task, read_task

LONGER = 1.12  # padded words of a batch's longer side for each target token, on captions


def main() -> None:
    task = read_task()
    torch.set_num_threads(task["threads"])
    clock = Clock(task)

    class Timed(eole.trainer.Trainer):
        """The trainer, whose steps tell the clock."""

        def _train_step(self, batches: Any, *rest: Any, **options: Any) -> None:
            (batch,) = batches
            clock.begin(batch["srclen"].tolist(), (batch["tgtlen"] - 1).tolist())  # without BOS
            super()._train_step(batches, *rest, **options)

    eole.trainer.Trainer = Timed
    train(TrainConfig(**settings(task)), device_id=-1)


def settings(task: Task) -> dict[str, Any]:
    """As `eole train` reads them from a file."""
    data, shape, scratch = Path(task["data"]), task["shape"], Path(task["scratch"])
    return {
        "save_data": str(scratch),
        "overwrite": True,
        "seed": 1,
        "report_every": 1_000_000,
        "src_vocab": str(data / "vocabulary"),
        "share_vocab": True,
        "src_vocab_size": task["vocabulary"],
        "vocab_size_multiple": 1,
        "n_sample": 0,
        "data": {"corpus": {"path_src": str(data / "source"), "path_tgt": str(data / "target")}},
        "training": {
            "model_path": str(scratch / "model"),
            "save_checkpoint_steps": 0,
            "train_steps": task["warm_up"] + task["steps"] + 2,
            "bucket_size": 262144,
            "num_workers": 0,
            "world_size": 1,
            "gpu_ranks": [],
            "batch_type": "tokens",
            "batch_size": round(LONGER * task["tokens"]),
            "compute_dtype": task["precision"],
            "optim": "adamw",
            "learning_rate": 1e-3,
            "adam_beta2": 0.98,
            "max_grad_norm": 1.0,
            "dropout": [shape["dropout"]],
            "attention_dropout": [0.0],
            "label_smoothing": shape["label_smoothing"],
            "normalization": "tokens",
            "param_init_method": "xavier_uniform",
            "log_attention_entropy": False,
        },
        "model": {
            "architecture": "transformer",
            "layers": shape["layers"],
            "hidden_size": shape["width"],
            "heads": shape["heads"],
            "transformer_ff": shape["feedforward"],
            "share_embeddings": True,
            "share_decoder_embeddings": True,
            "add_qkvbias": True,
            "add_ffnbias": True,
            "embeddings": {"word_vec_size": shape["width"], "position_encoding": True},
        },
    }


if __name__ == "__main__":
    main()
