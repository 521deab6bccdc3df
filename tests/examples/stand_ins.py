"""The public image sets of `examples/`, laid out as their authors publish them, with a few tiny pictures each.

Layouts are those that the papers' archives unpack to, or that torchvision reads; only sizes and pixels are ours.
"""

import json
import pickle

import numpy as np
from PIL import Image

from azeotrope.data.sources._places import data_root

TRAIN, TEST = 12, 3  # images a class
_drawn = np.random.default_rng(0)


def pixels(tone):
    """A picture of its class: noise around a tone, never drawn twice."""
    return np.clip(_drawn.normal(tone, 40, (32, 32, 3)), 0, 255).astype(np.uint8)


def tones(classes):
    return np.linspace(40, 215, len(classes))


def write(file, tone):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(tone)).save(file, quality=95)


def cifar(name, folder, train_files, test_file, meta_file, key, label_key):
    """As python pickles of rows of 3,072 bytes, with `batches.meta`; torchvision's checksums are of the real files."""
    root, classes = data_root() / folder, ("airplane", "automobile", "bird")
    root.mkdir(parents=True)

    def batch(each):
        labels = [number for number in range(3) for _ in range(each)]
        rows = [pixels(tones(classes)[label]).transpose(2, 0, 1).reshape(-1) for label in labels]
        return {"data": np.stack(rows), label_key: labels}

    for file in train_files:
        (root / file).write_bytes(pickle.dumps(batch(TRAIN // len(train_files) + 1)))
    (root / test_file).write_bytes(pickle.dumps(batch(TEST)))
    (root / meta_file).write_bytes(pickle.dumps({key: list(classes)}))


def cifar10():
    batches = [f"data_batch_{number}" for number in range(1, 6)]
    cifar("CIFAR10", "cifar-10-batches-py", batches, "test_batch", "batches.meta", "label_names", "labels")


def cifar100():
    cifar("CIFAR100", "cifar-100-python", ["train"], "test", "meta", "fine_label_names", "fine_labels")


def dtd():
    """Ten partitions into lists of `class/file.jpg`."""
    root, classes = data_root() / "dtd" / "dtd", ("banded", "dotted", "woven")
    for partition in range(1, 11):
        for split in ("train", "val", "test"):
            listed = [f"{name}/{name}_{split}{number:04d}.jpg" for name in classes for number in range(TRAIN)]
            (root / "labels").mkdir(parents=True, exist_ok=True)
            (root / "labels" / f"{split}{partition}.txt").write_text("\n".join(listed))
    for name, tone in zip(classes, tones(classes), strict=True):
        for split in ("train", "val", "test"):
            for number in range(TRAIN):
                write(root / "images" / name / f"{name}_{split}{number:04d}.jpg", tone)


def caltech101():
    """Folders of numbered pictures, a folder of background among them."""
    root = data_root() / "caltech101" / "101_ObjectCategories"
    classes = ("BACKGROUND_Google", "Faces", "accordion", "airplanes")
    for name, tone in zip(classes, tones(classes), strict=True):
        for number in range(1, 2 * TRAIN + 1):
            write(root / name / f"image_{number:04d}.jpg", tone)


def food101():
    """`meta/train.json` and `meta/test.json` map a class to its pictures, without suffix."""
    root, classes = data_root() / "food-101", ("apple_pie", "baby_back_ribs", "waffles")
    listed = {"train": {}, "test": {}}
    for name, tone in zip(classes, tones(classes), strict=True):
        for split, count in (("train", TRAIN), ("test", TEST)):
            listed[split][name] = [f"{name}/{split}{number}" for number in range(count)]
            for path in listed[split][name]:
                write(root / "images" / f"{path}.jpg", tone)
    (root / "meta").mkdir()
    for split, content in listed.items():
        (root / "meta" / f"{split}.json").write_text(json.dumps(content))


def sun397():
    """Folders by first letter; `ClassName.txt` lists them with a slash before the letter."""
    root, classes = data_root() / "SUN397", ("abbey", "airport_terminal", "zoo")
    for name, tone in zip(classes, tones(classes), strict=True):
        for number in range(2 * TRAIN):
            write(root / name[0] / name / f"sun_{name}{number}.jpg", tone)
    (root / "ClassName.txt").write_text("\n".join(f"/{name[0]}/{name}" for name in classes) + "\n")


def cub(folder):
    """The numbered lists of the archive, and pictures below `images`."""
    classes = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
    images, labels, trains = [], [], []
    for number, (name, tone) in enumerate(zip(classes, tones(classes), strict=True), 1):
        for place in range(TRAIN + TEST):
            path = f"{name}/{name[4:]}_{place:04d}.jpg"
            write(folder / "images" / path, tone)
            images.append(path)
            labels.append(str(number))
            trains.append(str(int(place < TRAIN)))
    for file, column in (
        ("images.txt", images),
        ("image_class_labels.txt", labels),
        ("train_test_split.txt", trains),
        ("classes.txt", classes),
    ):
        (folder / file).write_text("\n".join(f"{place} {text}" for place, text in enumerate(column, 1)) + "\n")


def mit67(folder):
    """Two lists of `class/file.jpg` and pictures below `Images`."""
    classes, listed = ("airport_inside", "bakery", "winecellar"), {"TrainImages.txt": [], "TestImages.txt": []}
    for name, tone in zip(classes, tones(classes), strict=True):
        for place in range(TRAIN + TEST):
            path = f"{name}/{name}_{place}.jpg"
            write(folder / "Images" / path, tone)
            listed["TrainImages.txt" if place < TRAIN else "TestImages.txt"].append(path)
    for file, lines in listed.items():
        (folder / file).write_text("\r\n".join(lines) + "\r\n")


def imagenet(folder):
    """A `datasets` set with the splits of ImageNet-1k, whose test labels are secret."""
    import datasets

    classes = ("tench", "goldfish", "great white shark")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(classes))})

    def part(each, *, secret=False):
        labels = [number for number in range(3) for _ in range(each)]
        content = {"image": [Image.fromarray(pixels(tones(classes)[label])) for label in labels], "label": labels}
        return datasets.Dataset.from_dict(content | ({"label": [-1] * len(labels)} if secret else {}), features)

    parts = {"train": part(TRAIN), "validation": part(TEST), "test": part(TEST, secret=True)}
    datasets.DatasetDict(parts).save_to_disk(str(folder))
