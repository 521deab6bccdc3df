"""Makes one run: choose losses and learning rate on validation, train, look at the test split once, write the record.

Whatever is on disk already is not made again. A run that fails for a reason of its own is a record with that reason;
anything else (a full disk, Ctrl-C) stops the program, and the same command goes on from there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from azeotrope.devices.memory import give_back_freed_memory, peak_memory_mb, reset_peak_memory
from azeotrope.errors import RunFailed
from azeotrope.models.load import Loaded
from azeotrope.models.network import Network
from azeotrope.record.run import RunRecord
from azeotrope.record.storage.answers import keep_answers, keep_test_set
from azeotrope.record.storage.store import RunStore
from azeotrope.record.storage.training_curve import keep_curve
from azeotrope.sweeping.runs import facts
from azeotrope.sweeping.runs.deploying import files_of
from azeotrope.sweeping.runs.failures import reason
from azeotrope.sweeping.runs.resources import Resources
from azeotrope.sweeping.runs.search import Best, choose, chosen_before
from azeotrope.sweeping.runs.taught import Taught
from azeotrope.sweeping.runs.training import student_data, student_of, train_once
from azeotrope.sweeping.runs.training_folder import Trained, TrainingFolder
from azeotrope.sweeping.spec import RunSpec
from azeotrope.train.dataset import StudentData
from azeotrope.train.evaluate import Test, answers_on, final_test
from azeotrope.train.optimizer import load_optimizers


@dataclass
class Runner:
    """Runs specs against one output folder `out`. `advance` is told how many images were trained on.

    Records go to `records` (a folder or fsspec URL) where that is not `out` itself. Each run's student is also measured
    as the files of the export targets `deploy`.
    """

    resources: Resources
    out: Path
    advance: Callable[[int], None] = lambda images: None
    records: str | None = None
    deploy: tuple[str, ...] = ()
    store: RunStore = field(init=False)
    _counted: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.store = RunStore(self.records or str(self.out))
        self.work = self.out / "work"

    def run(self, spec: RunSpec) -> RunRecord:
        """The record of this run, made now unless a finished one is stored.

        A failed run is tried again; a training of it that failed on its own is not, while its folder in `work` is kept.
        A run that was done stays done where making it again for a file fails.
        """
        present = self.store.get(spec.digest())
        if present is not None and present.is_whole(self.deploy):
            self.advance(images_trained(spec))
            return present
        reset_peak_memory(self.resources.device)
        load_optimizers()
        try:
            record = self._made(spec)
        except RunFailed as failure:
            return self._failed(spec, str(failure))
        except torch.AcceleratorError:  # nothing that follows in this process would be computed
            raise
        except RuntimeError as error:  # the card's memory, or the model's own code: the other runs go on
            return self._failed(spec, reason(error))
        finally:
            give_back_freed_memory()
        self.store.put(record)
        return record

    def _failed(self, spec: RunSpec, said: str) -> RunRecord:
        return self.store.put_failed(facts.failed(self.resources, spec, said), self.deploy)

    def best(self, spec: RunSpec) -> Best:
        """The run's training with the losses and at the learning rate that validation prefers on the tuning seed.

        Raises RunFailed when it did not end well.
        """
        return _ended_well(self._chosen(spec))

    def _chosen(self, spec: RunSpec) -> Best:
        """The same, however it ended."""
        first = self.store.get(spec.at_seed(spec.tuning_seed).digest())
        choices = chosen_before(spec, first) or choose(spec, self._train)
        final = choices.spec.trial(choices.tuning.chosen, spec.seed)
        return Best(final, self._train(final), choices)

    def tidy(self, spec: RunSpec) -> None:
        """Delete the trainings that only this run, which is recorded, needed; pre-trainings are left for others."""
        for losses, rate in itertools.product(spec.arm.options, spec.recipe.learning_rates):
            TrainingFolder.of(self.work, spec.settled(losses).trial(rate, spec.seed)).discard()

    def student(self, spec: RunSpec) -> Loaded:
        """The trained student of a run, on the CPU; trained again if its weights are gone."""
        return self._loaded(spec, self.best(spec))

    def _loaded(self, spec: RunSpec, best: Best) -> Loaded:
        loaded = student_of(self.resources, spec)
        loaded.network.load_state_dict(self._weights(best))
        return loaded

    def _made(self, spec: RunSpec) -> RunRecord:
        chosen = self._chosen(spec)
        keep_curve(self.store, spec.digest(), chosen.trained.curve)  # also of one that diverged
        best, taught, device = _ended_well(chosen), self._taught(spec), self.resources.device
        student = self._loaded(spec, best)
        data = student_data(self.resources, spec, student, taught)
        targets, peak = self._targets(spec), peak_memory_mb(device)  # of the training, which converting may exceed
        with files_of(self.resources, spec, student, targets) as files:
            network = device.place(student.network)
            test = final_test(network, data, taught.targets if taught else None, device, files.answering)
        self._keep_answers(spec, network, data, test)
        pretraining = self.best(spec.pretraining()) if spec.upstream else None
        record = facts.done(self.resources, spec, best, test, data, taught, pretraining)
        measured = {"deployed": files.tested(test.files), "peak_memory_mb": peak}
        return record.model_copy(update=measured) if targets else record

    def _targets(self, spec: RunSpec) -> tuple[str, ...]:
        """Those asked for, and those that an earlier record of this run has: a new one must not lack them."""
        present = self.store.get(spec.digest())
        return tuple(dict.fromkeys((*(present.deployed if present else ()), *self.deploy)))

    def _keep_answers(self, spec: RunSpec, network: Network, data: StudentData, test: Test) -> None:
        """What was said of the test images, and of the validation images for who chooses a threshold."""
        rows = self.resources.rows(spec.task, spec.train_images, spec.seed).val
        data.images.judged.ensure(rows)
        said = answers_on(network, data, rows, self.resources.device)
        keep_answers(self.store, spec.digest(), test.answers, said, data.images.pack.task.labels[rows])
        fold = data.images.pack.task.splits.fold
        keep_test_set(self.store, test.images, fold.number if fold else None)

    def _train(self, spec: RunSpec) -> Trained:
        """One training; what it needs from before is prepared only when it is not on disk yet."""
        if (done := TrainingFolder.of(self.work, spec).outcome()) is not None:
            self._advance_once(spec)
            return done
        self._counted.add(spec.digest())
        start = self._upstream_body(spec) if spec.upstream else None
        return train_once(self.resources, spec, self.work, start=start, taught=self._taught(spec), advance=self.advance)

    def _advance_once(self, spec: RunSpec) -> None:
        """A training found on disk moves the bar when it is first met, and not again."""
        if spec.digest() not in self._counted:
            self._counted.add(spec.digest())
            self.advance(images_of_training(spec))

    def _taught(self, spec: RunSpec) -> Taught | None:
        if spec.teacher is None:
            return None
        policy, views = spec.recipe.policy, spec.recipe.views
        return self.resources.taught(spec.teacher, spec.task, spec.train_images, spec.seed, policy, views)

    def _upstream_body(self, spec: RunSpec) -> dict[str, torch.Tensor]:
        weights = self._weights(self.best(spec.pretraining()))
        return {key.removeprefix("backbone."): value for key, value in weights.items() if key.startswith("backbone.")}

    def _weights(self, best: Best) -> dict[str, torch.Tensor]:
        try:
            return TrainingFolder.of(self.work, best.spec).weights()
        except FileNotFoundError:  # another sweep that shares the folder was done with it
            self._train(best.spec)
            return TrainingFolder.of(self.work, best.spec).weights()


def images_of_training(spec: RunSpec) -> int:
    """Images that one training of this run shows the student."""
    return spec.recipe.steps(spec.train_images) * spec.recipe.batch_images


def images_trained(spec: RunSpec) -> int:
    """Images that the run trains on: all candidates where it tunes, else one training."""
    return images_of_training(spec) * (spec.trials if spec.seed == spec.tuning_seed else 1)


def _ended_well(best: Best) -> Best:
    """The same. Raises RunFailed, with the reason, where its training did not end well."""
    if best.trained.failure:
        raise RunFailed(best.trained.failure)
    return best
