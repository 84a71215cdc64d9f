"""`transformers`: a MarianMT of the same shape, and `Seq2SeqTrainer`.

Tuned, it has batches of similar lengths with as many target tokens as ours have, and its attention
is `eager`: on a CPU, torch's fused kernel is slower for sentences as short as these. As it comes,
it groups by length itself, so many sentences a batch that they have about as many target tokens,
and attends as it likes; of its batches, longest first in turns of some 28, the default number of
steps sees the middle. AdamW is fused; bf16 is autocast with float32 weights, as the trainer does.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader
from transformers import MarianConfig, MarianMTModel, Seq2SeqTrainer, Seq2SeqTrainingArguments

from peers.training.clock import (
    BOS,
    EOS,
    PAD,
    Clock,
    Task,
    buckets,
    mean_length,
    read_ids,
    read_task,
)

IGNORED = -100  # where a label is padding
Pair = dict[str, list[int]]


def main() -> None:
    task = read_task()
    torch.set_num_threads(task["threads"])
    sources, targets = (read_ids(task, side) for side in ("source", "target"))
    sentences = round(task["tokens"] / mean_length(targets))
    arguments = arguments_of(task, sentences)
    batches = buckets(task, sources, targets) if task["tuned"] else None
    pairs = [pair_of(*sides) for sides in zip(sources, targets, strict=True)]
    Timed(model_of(task), arguments, pairs, batches, Clock(task)).train()


def model_of(task: Task) -> MarianMTModel:
    shape = task["shape"]
    sides = ("encoder", "decoder")
    config = MarianConfig(
        vocab_size=task["vocabulary"],
        d_model=shape["width"],
        **{f"{side}_layers": shape["layers"] for side in sides},
        **{f"{side}_attention_heads": shape["heads"] for side in sides},
        **{f"{side}_ffn_dim": shape["feedforward"] for side in sides},
        activation_function="relu",
        dropout=shape["dropout"],
        attention_dropout=0.0,
        activation_dropout=0.0,
        scale_embedding=True,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
        forced_eos_token_id=EOS,
        decoder_start_token_id=BOS,
        use_cache=False,
    )
    if task["tuned"]:
        config._attn_implementation = "eager"
    return MarianMTModel(config)


def arguments_of(task: Task, sentences: int) -> Seq2SeqTrainingArguments:
    """`sentences`: of a batch that the trainer makes itself."""
    return Seq2SeqTrainingArguments(
        output_dir=task["scratch"],
        use_cpu=True,
        bf16=task["precision"] == "bf16",
        per_device_train_batch_size=sentences,
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        max_steps=task["warm_up"] + task["steps"] + 2,
        label_smoothing_factor=task["shape"]["label_smoothing"],
        learning_rate=1e-3,
        optim="adamw_torch_fused",
        adam_beta2=0.98,
        max_grad_norm=1.0,
        logging_steps=1_000_000,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


class Timed(Seq2SeqTrainer):
    """The trainer, whose steps tell the clock."""

    def __init__(
        self,
        model: MarianMTModel,
        arguments: Seq2SeqTrainingArguments,
        pairs: list[Pair],
        batches: list[list[int]] | None,
        clock: Clock,
    ) -> None:
        self.batches, self.clock = batches, clock
        super().__init__(model=model, args=arguments, train_dataset=pairs, data_collator=collated)

    def get_train_dataloader(self) -> DataLoader[Pair]:
        """Batches that are the same in every run, or its own."""
        if self.batches is None:
            return super().get_train_dataloader()
        return DataLoader(self.train_dataset, batch_sampler=self.batches, collate_fn=collated)

    def training_step(self, model: Any, inputs: Any, *rest: Any, **options: Any) -> Any:
        """One step."""
        self.clock.begin(
            inputs["attention_mask"].sum(1).tolist(), (inputs["labels"] != IGNORED).sum(1).tolist()
        )
        return super().training_step(model, inputs, *rest, **options)


def pair_of(source: list[int], target: list[int]) -> Pair:
    """By the names by which the trainer knows lengths."""
    return {"input_ids": [*source, EOS], "labels": [*target, EOS]}


def collated(pairs: Iterable[Pair]) -> dict[str, torch.Tensor]:
    sources = [torch.tensor(pair["input_ids"]) for pair in pairs]
    labels = [torch.tensor(pair["labels"]) for pair in pairs]
    prefixes = [torch.tensor([BOS, *pair["labels"][:-1]]) for pair in pairs]
    ids = pad_sequence(sources, batch_first=True, padding_value=PAD)
    return {
        "input_ids": ids,
        "attention_mask": (ids != PAD).long(),
        "decoder_input_ids": pad_sequence(prefixes, batch_first=True, padding_value=PAD),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
    }


if __name__ == "__main__":
    main()
