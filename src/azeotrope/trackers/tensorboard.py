"""TensorBoard: a folder of event files a run. Written by TensorBoard's own writer; neither torch nor TensorFlow.

To see them: `tensorboard --logdir FOLDER`.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from azeotrope.trackers._tracker import TrackedRun, Tracker, not_installed


def open_tracker(folder: Path) -> Tracker:
    """Event files in `folder/RUN_ID/`. Raises MissingDependency."""
    try:
        import tensorboard.summary.writer.event_file_writer  # noqa: F401
    except ImportError as error:
        raise not_installed("tensorboard", error) from error
    return _TensorBoard(folder)


@dataclass(frozen=True)
class _TensorBoard:
    folder: Path

    def has(self, run_id: str) -> bool:
        return (self.folder / run_id).is_dir()

    def add(self, run: TrackedRun) -> None:
        """Under another name first, so that a kill leaves no half of a run."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        begun, now = self.folder / f".{run.run_id}", time.time()
        shutil.rmtree(begun, ignore_errors=True)
        writer = EventFileWriter(str(begun))
        parameters = {key: value if isinstance(value, str | bool) else float(value) for key, value in _shown(run)}
        writer.add_event(Event(wall_time=now, summary=hparams_pb(parameters, trial_id=run.run_id, start_time_secs=now)))
        last = max(0, len(run.epochs) - 1)
        for step, numbers in [*enumerate(run.epochs), (last, run.results)]:
            values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
            writer.add_event(Event(wall_time=now, step=step, summary=Summary(value=values)))
        writer.close()
        (file,) = begun.iterdir()
        file.rename(begun / "events.out.tfevents.azeotrope")  # its own name holds that of the machine
        begun.rename(self.folder / run.run_id)


def _shown(run: TrackedRun) -> list[tuple[str, str | int | float | bool]]:
    return [("name", run.name), *run.parameters.items()]
