"""What the published pre-training of a model's weights took: images, epochs and resolution, from who published it.

Only what is published is known here. A source file of `models.sources` states it in `published(name)`; where nothing is
stated the reason is given, and no number takes its place.
"""

from __future__ import annotations

from azeotrope.models.sources import source_of
from azeotrope.models.sources._published import Published
from azeotrope.models.spec import ModelSpec


def published(student: str) -> Published | str:
    """The pre-training of the weights that an arm from `hub` starts from; or, as text, why it is not known."""
    spec = ModelSpec.parse(student)
    source = source_of(spec.scheme)
    weights = spec.weights or source.default_weights(spec.name)
    if weights is None:
        return f"{spec.architecture} has no published weights"
    if weights.kind != "hub":
        return f"nothing says how the weights {weights} were made"
    told = getattr(source, "published", None)
    found: Published | None = told(spec.name) if told else None
    return found or f"nothing is known here of how many images and epochs the weights of {spec.architecture} took"
