"""azeotrope: should this small vision model be distilled, fine-tuned or trained from scratch, on these images?

Everything public is importable from here. Each name is loaded when it is first used, so that the half that only reads
records never needs torch; editors and type checkers read the real signatures from the imports below.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azeotrope.advice.answer import Advice as Advice
    from azeotrope.advice.needs.limits import Needs as Needs
    from azeotrope.api.advise import advise as advise
    from azeotrope.api.advise_data import advise_data as advise_data
    from azeotrope.api.boundary import boundary as boundary
    from azeotrope.api.check import Check as Check
    from azeotrope.api.check import check as check
    from azeotrope.api.compare import compare as compare
    from azeotrope.api.demo import Demonstration as Demonstration
    from azeotrope.api.demo import demo as demo
    from azeotrope.api.distill import Distilled as Distilled
    from azeotrope.api.distill import distill as distill
    from azeotrope.api.export import Exported as Exported
    from azeotrope.api.export import export as export
    from azeotrope.api.fit import fit as fit
    from azeotrope.api.predict import Prediction as Prediction
    from azeotrope.api.predict import predict as predict
    from azeotrope.api.report import report as report
    from azeotrope.api.schema import schema as schema
    from azeotrope.api.suggest import Suggestion as Suggestion
    from azeotrope.api.suggest import suggest as suggest
    from azeotrope.api.sweep import sweep as sweep
    from azeotrope.api.sweep_tasks import SweptTasks as SweptTasks
    from azeotrope.api.sweep_tasks import sweep_tasks as sweep_tasks
    from azeotrope.api.synth import Synthesis as Synthesis
    from azeotrope.api.synth import synth as synth
    from azeotrope.api.training_curves import training_curves as training_curves
    from azeotrope.arm import Arm as Arm
    from azeotrope.boundaries.boundary import Boundary as Boundary
    from azeotrope.errors import AzeotropeError as AzeotropeError
    from azeotrope.errors import InputError as InputError
    from azeotrope.errors import MissingDependency as MissingDependency
    from azeotrope.errors import NotExported as NotExported
    from azeotrope.errors import NotIdentifiable as NotIdentifiable
    from azeotrope.errors import RunFailed as RunFailed
    from azeotrope.errors import StoreError as StoreError
    from azeotrope.fitting.result import FitResult as FitResult
    from azeotrope.labels import LabelSpec as LabelSpec
    from azeotrope.plan import PicturesSpec as PicturesSpec
    from azeotrope.plan import TeacherSpec as TeacherSpec
    from azeotrope.plan import UpstreamSpec as UpstreamSpec
    from azeotrope.recipe import Recipe as Recipe
    from azeotrope.recipe import ViewPolicy as ViewPolicy
    from azeotrope.record.run import RunRecord as RunRecord
    from azeotrope.record.storage.store import RunStore as RunStore
    from azeotrope.reporting.numbers import Comparison as Comparison
    from azeotrope.session.sweeps.sweep_run import Sweep as Sweep
    from azeotrope.sweeping.budget import Budget as Budget
    from azeotrope.sweeping.plans.sweep_plan import SweepPlan as SweepPlan
    from azeotrope.synthesis.spec import FilesSpec as FilesSpec
    from azeotrope.synthesis.spec import FilterSpec as FilterSpec
    from azeotrope.synthesis.spec import GeneratorSpec as GeneratorSpec
    from azeotrope.synthesis.spec import SetsSpec as SetsSpec
    from azeotrope.tables.columns import Columns as Columns

__version__ = "0.1.0"

_MODULES = {
    "advice.answer": ("Advice",),
    "advice.needs.limits": ("Needs",),
    "api.advise": ("advise",),
    "api.advise_data": ("advise_data",),
    "api.boundary": ("boundary",),
    "api.check": ("Check", "check"),
    "api.compare": ("compare",),
    "api.demo": ("Demonstration", "demo"),
    "api.distill": ("Distilled", "distill"),
    "api.export": ("Exported", "export"),
    "api.fit": ("fit",),
    "api.predict": ("Prediction", "predict"),
    "api.report": ("report",),
    "api.schema": ("schema",),
    "api.suggest": ("Suggestion", "suggest"),
    "api.sweep": ("sweep",),
    "api.sweep_tasks": ("SweptTasks", "sweep_tasks"),
    "api.synth": ("Synthesis", "synth"),
    "api.training_curves": ("training_curves",),
    "arm": ("Arm",),
    "boundaries.boundary": ("Boundary",),
    "errors": (
        "AzeotropeError",
        "InputError",
        "MissingDependency",
        "NotExported",
        "NotIdentifiable",
        "RunFailed",
        "StoreError",
    ),
    "fitting.result": ("FitResult",),
    "labels": ("LabelSpec",),
    "plan": ("PicturesSpec", "TeacherSpec", "UpstreamSpec"),
    "recipe": ("Recipe", "ViewPolicy"),
    "record.run": ("RunRecord",),
    "record.storage.store": ("RunStore",),
    "reporting.numbers": ("Comparison",),
    "session.sweeps.sweep_run": ("Sweep",),
    "sweeping.budget": ("Budget",),
    "sweeping.plans.sweep_plan": ("SweepPlan",),
    "synthesis.spec": ("FilesSpec", "FilterSpec", "GeneratorSpec", "SetsSpec"),
    "tables.columns": ("Columns",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"azeotrope.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'azeotrope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
