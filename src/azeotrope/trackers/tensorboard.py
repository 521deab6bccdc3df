"""TensorBoard: a folder of event files a run. Written with TensorBoard's own format; neither torch nor TensorFlow.

To see them: `tensorboard --logdir FOLDER`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from azeotrope.trackers._tracker import TrackedRun, Tracker, not_installed

_FILE = "events.out.tfevents.azeotrope"


def open_tracker(folder: Path) -> Tracker:
    """Event files in `folder/RUN_ID/`. Raises MissingDependency."""
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise not_installed("tensorboard", error) from error
    return _TensorBoard(folder)


@dataclass(frozen=True)
class _TensorBoard:
    folder: Path

    def known(self) -> set[str]:
        return {path.parent.name for path in self.folder.glob(f"*/{_FILE}")}

    def has(self, run_id: str) -> bool:
        return (self.folder / run_id / _FILE).exists()

    def add(self, run: TrackedRun) -> None:
        """Under a name first that TensorBoard does not take for one of its files, so that a kill leaves no half of a
        run there. Its own writer would name the file after the machine.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.summary.writer.record_writer import RecordWriter

        begun, now = self.folder / f".{run.run_id}.part", time.time()
        parameters = {key: value if isinstance(value, str | bool) else float(value) for key, value in _shown(run)}
        told = hparams_pb(parameters, trial_id=run.run_id, start_time_secs=now)
        events = [Event(wall_time=now, file_version="brain.Event:2"), Event(wall_time=now, summary=told)]
        for step, numbers in [*run.epochs.items(), (max(0, run.ended - 1), run.results)]:
            values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
            events.append(Event(wall_time=now, step=step, summary=Summary(value=values)))
        with begun.open("wb") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())
        (self.folder / run.run_id).mkdir(exist_ok=True)
        begun.replace(self.folder / run.run_id / _FILE)


def _shown(run: TrackedRun) -> list[tuple[str, str | int | float | bool]]:
    return [("name", run.name), *run.parameters.items()]
