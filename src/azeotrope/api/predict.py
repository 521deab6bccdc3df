"""`azeotrope.predict`: use a saved model on images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from azeotrope.data.decoding.reading import Unreadable
from azeotrope.data.named import Named, named_images
from azeotrope.errors import InputError
from azeotrope.labels import KindName
from azeotrope.session.exports.predicting import Predictor, open_predictor

TOP, THRESHOLD = 3, 0.5
_USED_BY = {"top": "single", "threshold": "multi"}
_GIVES = {
    "single": "this model gives one class an image",
    "multi": "this model gives any number of classes an image",
    "number": "this model gives a number",
}


@dataclass(frozen=True)
class Prediction:
    """What the model says of one image: classes with their probabilities, best first, or a `value` with its `unit`.

    Of a model that gives one class these are the likeliest; of one that gives any number of them, those whose
    probability is at least the threshold, so perhaps none. A file that cannot be read has a `problem` and no
    answer: one broken file does not cost the answers for the rest.
    """

    image: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    value: float | None = None
    unit: str | None = None
    problem: str | None = None


def predict(
    model: str | Path,
    images: str | Path | Iterable[str | Path],
    *,
    top: int | None = None,
    threshold: float | None = None,
) -> list[Prediction]:
    """Use a model that `compare` or `distill` saved on image files (or all images of folders).

    `images` are paths, folders, patterns (`photos/*.jpg`) or URLs, one or several; `-` is standard input, a picture or
    a path a line. In folders hidden files and by-products of systems are passed over, as in training.

    `model` is the saved model's folder, or the output folder that holds it when it holds one only, or a file that
    `export` made, in its bundle. Images are prepared as in evaluation. `top` is how many classes (3) are named where an
    image has one, `threshold` the least probability (0.5) where it has any number. Raises InputError for a folder that
    holds no model, or several, for a file without its bundle, for an image that is not there, and for an option that a
    model of this kind has no use for.
    """
    predictor = open_predictor(Path(model).expanduser())
    chosen = named_images(images, predictor.reading.pixels)
    _refuse_idle(predictor.kind, top=top, threshold=threshold)
    answer = partial(
        _ANSWERS[predictor.kind], predictor, top=top or TOP, threshold=THRESHOLD if threshold is None else threshold
    )
    return [_predict(predictor, named, answer) for named in chosen.files]


def _refuse_idle(kind: KindName, **asked: float | None) -> None:
    idle = [name for name, value in asked.items() if value is not None and _USED_BY[name] != kind]
    if idle:
        raise InputError(
            "An option must have an effect",
            found=f"{' and '.join(f'--{name}' for name in idle)}: {_GIVES[kind]}",
            allowed="--top of a model that gives one class, --threshold of one that gives any number of them",
            next_step="leave out what has no effect",
        )


def _predict(predictor: Predictor, named: Named, answer: Callable[[torch.Tensor], Prediction]) -> Prediction:
    try:
        pixels = predictor.picture(named.read())
    except (Unreadable, ValueError) as error:  # ValueError: a path that no system takes
        return Prediction(named.name, problem=str(error))
    except OSError as error:
        return Prediction(named.name, problem=(error.strerror or str(error)).lower())
    return replace(answer(predictor.said(pixels)), image=named.name)


def _one_class(predictor: Predictor, logits: torch.Tensor, *, top: int, threshold: float) -> Prediction:
    return _likeliest(predictor, logits.softmax(0), top)


def _any_classes(predictor: Predictor, logits: torch.Tensor, *, top: int, threshold: float) -> Prediction:
    probabilities = logits.sigmoid()
    return _likeliest(predictor, probabilities, int((probabilities >= threshold).sum()))


def _value(predictor: Predictor, logits: torch.Tensor, *, top: int, threshold: float) -> Prediction:
    return Prediction("", value=logits.item(), unit=predictor.unit)


def _likeliest(predictor: Predictor, probabilities: torch.Tensor, count: int) -> Prediction:
    values, places = probabilities.topk(min(count, len(predictor.classes)))
    return Prediction("", tuple(predictor.classes[place] for place in places.tolist()), tuple(values.tolist()))


_ANSWERS = {"single": _one_class, "multi": _any_classes, "number": _value}
