"""What folders, numbered files and cameras say of images that belong together."""

import io

import numpy as np
import pytest
from PIL import Image

from azeotrope.data.auditing.audit import audit
from azeotrope.data.task import load_task
from azeotrope.labels import LabelSpec

from .pictures import smooth


def scene(seed, shot, size=48):
    """A picture of one place: the same smooth ground, other noise, moved a little."""
    noise = np.random.default_rng([seed, shot]).normal(0, 4, (size, size, 3))
    ground = np.roll(smooth(seed, size + 8), shot, axis=0)[:size, :size]
    return Image.fromarray((ground + noise).clip(0, 255).astype(np.uint8))


def jpeg(picture, exif=None):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, **({} if exif is None else {"exif": exif}))
    return buffer.getvalue()


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def found(folder, **labels):
    task = load_task(str(folder), labels=LabelSpec(**labels))
    return {each.by: each for each in audit(task.manifest, task.source, task.near, task.splits).likely_groups}


def test_numbered_files_that_resemble_each_other_are_a_burst(tmp_path):
    files = {
        f"{label}/place{place}{label}_{shot:02d}.jpg": jpeg(scene(place + 50 * (label == "b"), shot))
        for label in "ab"
        for place in range(6)
        for shot in range(5)
    }
    write(tmp_path, files)
    burst = found(tmp_path)["numbered files of one name"]
    assert (burst.groups, burst.images) == (12, 60)
    assert burst.alike[0] > 0.5 > 0.3 > burst.alike[1]
    assert burst.torn > 0
    group, first, second = burst.examples[0]
    assert group in first
    assert group in second
    pattern = burst.option.removeprefix("--group-by '").removesuffix("'")
    assert found(tmp_path, group_by=pattern) == {}
    kept = load_task(str(tmp_path), labels=LabelSpec(group_by=pattern))
    assert len(np.unique(kept.units)) == 12


def test_numbers_of_pictures_that_are_not_alike_say_nothing(tmp_path):
    """`batch3_07.jpg` as a downloader names them: no more alike within a batch than between."""
    files = {
        f"{label}/batch{number // 5}_{number:02d}.jpg": jpeg(scene(number + 100 * (label == "b"), 0))
        for label in "ab"
        for number in range(30)
    }
    write(tmp_path, files)
    assert found(tmp_path) == {}


def test_folders_inside_class_folders(tmp_path):
    files = {
        f"{label}/{label}{person}/{shot}.jpg": jpeg(scene(100 * (label == "b") + 10 * person + shot, 0))
        for label in "ab"
        for person in range(4)
        for shot in range(3)
    }
    write(tmp_path, files)
    folders = found(tmp_path)["the folders that images lie in"]
    assert (folders.groups, folders.images, folders.option) == (8, 24, "--group-by parent")


def test_one_camera_and_minute(tmp_path):
    files = {}
    for number in range(24):
        exif = Image.Exif()
        exif[271], exif[272] = "Canon", "EOS"
        exif.get_ifd(0x8769)[36867] = f"2026:03:01 12:{number // 4:02d}:{number:02d}"
        files[f"{'ab'[number % 2]}/{7919 * (number + 3) % 9973}x{number}y.jpg"] = jpeg(scene(number, 0), exif)
    write(tmp_path, files)
    (camera,) = found(tmp_path).values()
    assert (camera.by, camera.groups, camera.images) == ("camera and minute (EXIF)", 6, 24)


@pytest.mark.parametrize("spec", ["digits"])
def test_sets_without_files_have_no_such_groups(spec):
    assert found(spec) == {}
