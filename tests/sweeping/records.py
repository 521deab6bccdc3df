"""Records of runs that were never made."""

from azeotrope.record.facts import StudentFacts, TaskFacts
from azeotrope.record.run import RunRecord


def record(spec, state="done", **facts):
    """What a run of `spec` would leave, with these facts of it."""
    return RunRecord(
        run_id=spec.digest(),
        state=state,
        task=TaskFacts(name="t", fingerprint=spec.task, classes=("a", "b")),
        strategy=spec.arm.strategy,
        arm=spec.arm.name,
        student=StudentFacts(name=spec.student, parameters=1),
        init=spec.arm.init,
        train_images=spec.train_images,
        seed=spec.seed,
        **facts,
    )
