"""Train the demo model: first the two towers alone, then everything through questions and answers.

    python -m demo.train --work build/demo --out demo/model

Stage 1 teaches the towers with small heads that are thrown away in the end (masks of the figures,
colour, shape, count, place, direction; pitch, beeps so far): dense labels get them past the plateau
on which shapes stay when the only signal is one word of an answer. Stage 2 trains all weights on
answers. One process draws the media, one trains; a checkpoint is written every few hundred steps,
and the same command goes on from it.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import time
from pathlib import Path
from queue import Full
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from transformers import Qwen2_5OmniThinkerForConditionalGeneration

from demo import batches, export, features, model_config, pretrain, towers
from demo.tokenizer import special_ids, train_tokenizer

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from tokenizers import Tokenizer

    from demo.batches import Batch, Slot

_WARM_UP_STEPS = 100
_SAVE_EVERY = 250
_REPORT_EVERY = 50
_HEADS_SHARE = 0.3
_USUAL_FAN_IN = 128
_MEDIA_MARKS = ("<|IMAGE|>", "<|AUDIO|>", "<|VIDEO|>")


def build_thinker(tokenizer: Tokenizer) -> Any:
    """Return a freshly initialised model in float32."""
    config = model_config.build_thinker_config(special_ids(tokenizer), tokenizer.get_vocab_size())
    torch.manual_seed(0)
    thinker = Qwen2_5OmniThinkerForConditionalGeneration._from_config(  # noqa: SLF001  the one way to choose attention
        config, attn_implementation="eager"
    )
    for name, weight in thinker.named_parameters():
        if weight.dim() > 1 and "norm" not in name:
            fan_in = weight[0].numel()
            torch.nn.init.normal_(
                weight, std=0.02 if "embed" in name else min(0.08, 0.8 / math.sqrt(fan_in))
            )
    return thinker


def encode_slot(thinker: Any, slot: Slot) -> torch.Tensor:
    """Return the tokens of one slot, [B, tokens, width]."""
    data = torch.from_numpy(slot.data)
    if slot.grid is None:
        return towers.encode_sound(thinker.audio_tower, features.mel(data))
    frames = data.expand(-1, 2, -1, -1, -1) if slot.kind == "image" else data
    return towers.encode_frames(thinker.visual, features.patches(frames), slot.grid)


def hidden_states(
    thinker: Any, batch: Batch, encoded: list[torch.Tensor], marks: torch.Tensor
) -> torch.Tensor:
    """Return the language model's last states [B, L, width]; `marks` are the placeholders' ids."""
    ids = torch.from_numpy(batch.ids)
    embeddings = thinker.model.embed_tokens(ids)
    if encoded:
        here = torch.isin(ids, marks).unsqueeze(-1)
        embeddings = embeddings.masked_scatter(here, torch.cat(encoded, dim=1).to(embeddings.dtype))
    return towers.language_states(thinker, embeddings, torch.from_numpy(batch.places))


def answer_loss(
    thinker: Any, batch: Batch, encoded: list[torch.Tensor], marks: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Return the loss on answer tokens, and the share of rows with every answer token likeliest."""
    labels = torch.from_numpy(batch.labels)[:, 1:]
    states = hidden_states(thinker, batch, encoded, marks)[:, :-1]
    learned = labels >= 0
    logits = thinker.lm_head(states[learned]).float()
    loss = functional.cross_entropy(logits, labels[learned])
    wrong = torch.zeros_like(labels)
    wrong[learned] = (logits.argmax(-1) != labels[learned]).long()
    return loss, float((wrong.sum(1) == 0).float().mean())


def produce(queue: Queue[Any], step: int, rows: int, stage: str) -> None:
    """Fill the queue with batches until the parent is gone; runs in its own, polite process."""
    os.nice(5)
    torch.set_num_threads(1)
    rng = Random(f"{stage} {step}")
    tokenizer = train_tokenizer()
    for at in itertools.count(step):
        made = (
            pretrain.make_slot(rng, rows, at)
            if stage == "towers"
            else batches.make_batch(rng, tokenizer, rows)
        )
        while not _put(queue, made):
            if (
                multiprocessing.parent_process() is None
                or not multiprocessing.parent_process().is_alive()
            ):
                return


def _put(queue: Queue[Any], made: Any) -> bool:
    """Put into the queue; False when it stayed full for a while."""
    try:
        queue.put(made, timeout=5)
    except Full:
        return False
    return True


def start_producer(step: int, rows: int, stage: str) -> tuple[Any, Any]:
    """Start the data process; return it with its queue."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(maxsize=12)
    process = context.Process(target=produce, args=(queue, step, rows, stage), daemon=True)
    process.start()
    return process, queue


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return warm-up, then cosine to 3 % of the peak."""
    if step < _WARM_UP_STEPS:
        return peak * (step + 1) / _WARM_UP_STEPS
    share = min(1.0, (step - _WARM_UP_STEPS) / max(1, steps - _WARM_UP_STEPS))
    return peak * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * share)))


def group_by_fan_in(weights: list[torch.Tensor]) -> list[dict[str, Any]]:
    """Group weights so that a layer with many inputs learns more slowly.

    Adam moves every weight by about the learning rate, so a patch embedding of 1,176 correlated
    inputs would move its outputs nine times as far as the layers of width 128 do, and would never
    settle on contours.
    """
    shares: dict[float, list[torch.Tensor]] = {}
    for weight in weights:
        fan_in = weight[0].numel() if weight.dim() > 1 else 1
        shares.setdefault(min(1.0, _USUAL_FAN_IN / fan_in), []).append(weight)
    return [{"params": group, "share": share} for share, group in shares.items()]


class Course:
    """One stage of training: model, optimiser, step, and the checkpoint that holds them."""

    def __init__(
        self, stage: str, modules: list[Any], steps: int, folder: Path, peak: float
    ) -> None:
        """Take the modules to train, the number of steps, the folder and the peak learning rate."""
        self.stage, self.modules, self.steps, self.peak = stage, modules, steps, peak
        weights = [weight for module in modules for weight in module.parameters()]
        self.weights = weights
        groups = group_by_fan_in(weights)
        self.optimiser = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98), weight_decay=0.02)
        self.path = folder / f"{stage}.pt"
        self.step = 0
        self.scores: dict[str, list[float]] = {}
        self.started = time.monotonic()

    def resume(self) -> None:
        """Go on from the stage's checkpoint, if there is one."""
        if not self.path.exists():
            return
        saved = torch.load(self.path, weights_only=True)
        for module, state in zip(self.modules, saved["modules"], strict=True):
            module.load_state_dict(state)
        self.optimiser.load_state_dict(saved["optimiser"])
        self.step = saved["step"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        states = [module.state_dict() for module in self.modules]
        draft = self.path.with_suffix(".draft")
        torch.save(
            {"modules": states, "optimiser": self.optimiser.state_dict(), "step": self.step}, draft
        )
        draft.replace(self.path)

    def learn(self, loss: torch.Tensor) -> None:
        """Take one step down the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.peak) * group["share"]
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimiser.step()
        self.step += 1

    def note(self, scores: dict[str, float]) -> None:
        """Remember scores of fresh batches, which are held out by nature until learned from."""
        for name, score in scores.items():
            self.scores.setdefault(name, []).append(score)

    def report_and_save(self) -> bool:
        """Print the mean of each kind's last scores and save, when due; tell whether it saved."""
        due = self.step % _SAVE_EVERY == 0 or self.step == self.steps
        if due:
            self.save()
        if self.step % _REPORT_EVERY:
            return due
        means = {
            name: round(sum(last[-8:]) / len(last[-8:]), 3)
            for name, last in sorted(self.scores.items())
        }
        minutes = (time.monotonic() - self.started) / 60
        print(
            f"{self.stage} step {self.step}/{self.steps} minutes {minutes:.1f} {means}", flush=True
        )
        return due


def train_towers(thinker: Any, heads: pretrain.Heads, steps: int, folder: Path) -> None:
    """Stage 1: both towers with throw-away heads."""
    course = Course(
        "towers", [thinker.visual, thinker.audio_tower, heads], steps, folder, peak=1.5e-3
    )
    course.resume()
    if course.step >= steps:
        return
    process, queue = start_producer(course.step, rows=96, stage="towers")
    while course.step < steps:
        slot = queue.get()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss, scores = pretrain.tower_loss(heads, slot, encode_slot(thinker, slot))
        course.learn(loss)
        course.note(scores)
        course.report_and_save()
    process.kill()


def train_answers(
    thinker: Any, heads: pretrain.Heads, tokenizer: Tokenizer, flags: argparse.Namespace
) -> None:
    """Stage 2: everything, on answers, with the heads still beside.

    Exports the checkpoint folder at every save.
    """
    marks = torch.tensor([tokenizer.token_to_id(mark) for mark in _MEDIA_MARKS])
    course = Course("answers", [thinker, heads], flags.answer_steps, flags.work, peak=1.0e-3)
    course.resume()
    process, queue = start_producer(course.step, rows=40, stage="answers")
    while course.step < course.steps:
        batch = queue.get()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            encoded = [encode_slot(thinker, slot) for slot in batch.slots]
            loss, right = answer_loss(thinker, batch, encoded, marks)
            told = [
                pretrain.tower_loss(heads, slot, tokens)
                for slot, tokens in zip(batch.slots, encoded, strict=True)
            ]
        course.learn(loss + _HEADS_SHARE * sum(one for one, _ in told))
        course.note({batch.name: right})
        for _, scores in told:
            course.note(scores)
        if course.report_and_save():
            export.write_checkpoint(flags.out, thinker.state_dict(), tokenizer)
    process.kill()


def main() -> None:
    """Read the flags and train both stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, default=Path("build/demo"), help="folder of the training checkpoints"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("demo/model"), help="folder of the exported model"
    )
    parser.add_argument("--tower-steps", type=int, default=2000)
    parser.add_argument("--answer-steps", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=1)
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    flags.work.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer()
    thinker = build_thinker(tokenizer)
    heads = pretrain.Heads(model_config.audio_config()["output_dim"])
    train_towers(thinker, heads, flags.tower_steps, flags.work)
    train_answers(thinker, heads, tokenizer, flags)


if __name__ == "__main__":
    main()
