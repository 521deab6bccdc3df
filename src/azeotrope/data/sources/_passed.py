"""Walks a folder for images and counts what it does not take, by what it is and by class.

By-products of systems and tools, hidden files and links to folders are passed over in training and in use alike. What
may be a picture (a format that is not read, a file without suffix) is told apart from what is none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from operator import attrgetter
from pathlib import Path

from azeotrope.data.sources._source import PassedOver
from azeotrope.labels import PLAIN_PIXELS, Format, PixelSpec
from azeotrope.record.storage.claim import is_output

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "gif", "bmp", "tif", "tiff"),
        *("webp", "avif", "jp2", "j2k", "ppm", "pgm", "pbm", "pnm", "ico"),
    )
)
_ARRAYS = frozenset((".npy",))  # pictures where a task says that its files have bands
ASKED: Mapping[Format, frozenset[str]] = {  # pictures where a task says so
    "dicom": frozenset((".dcm", ".dicom")),
    "heic": frozenset((".heic", ".heif")),
}
_BY_PRODUCTS = frozenset(
    (
        *("@eadir", "#recycle", "@recycle", "@recently-snapshot", ".@__thumb", "#snapshot", ".snapshot"),  # NAS
        *("$recycle.bin", "recycler", "recycled", "system volume information", "found.000"),  # Windows
        *("__macosx", ".spotlight-v100", ".fseventsd", ".temporaryitems", ".appledouble", ".trashes"),  # macOS
        *("lost+found", ".trash", ".thumbnails", ".xvpics"),  # Linux
        *(".ipynb_checkpoints", "__pycache__", ".git", ".svn", ".cache", ".dvc", ".idea", ".vscode"),  # tools
        *("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "icon\r", ".picasa.ini", ".nomedia", ".gitkeep"),
        *(".gitignore", ".gitattributes", ".directory", ".keep"),
    )
)
_NO_PICTURES = frozenset(
    f".{suffix}"
    for suffix in (
        *("txt", "csv", "tsv", "json", "jsonl", "xml", "md", "rst", "yaml", "yml", "toml", "html", "htm", "log", "ini"),
        *("cfg", "xmp", "aae", "py", "ipynb", "sh", "bat", "parquet", "names", "lst", "db", "sha256", "md5", "pdf"),
    )
)
LINK = "links to folders"
HIDDEN = "hidden"
SPECIAL = "pipes and devices"
LOOSE = "beside the class folders"
UNUSED_SPLITS = "images that serve as nothing"


class Tally:
    """What was passed over, and where. Files such as .npy and .dcm are images where `pixels` ask for them."""

    def __init__(self, pixels: PixelSpec = PLAIN_PIXELS) -> None:
        self.pixels = pixels
        self._suffixes = SUFFIXES.union(
            _ARRAYS if pixels.bands is not None else (), *(ASKED[each] for each in pixels.formats)
        )
        self._found: dict[tuple[str, str, bool], tuple[int, str]] = {}

    def add(self, where: str, what: str, example: str, *, picture: bool, count: int = 1) -> None:
        """Count files; the first example of a kind is kept."""
        before, first = self._found.get((where, what, picture), (0, example))
        self._found[where, what, picture] = before + count, first

    def takes(self, name: str) -> bool:
        """Whether a file of this name is taken for an image."""
        dot = name.rfind(".")
        return dot > 0 and name[dot:].lower() in self._suffixes and name[0] != "."

    def file(self, where: str, path: str) -> None:
        """Count a file that is no image by its name."""
        name = os.path.basename(path)  # noqa: PTH119 (hot loop)
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
        if is_by_product(name):
            self.add(where, "by-products", path, picture=False)
        elif name.startswith("."):
            self.add(where, HIDDEN, path, picture=suffix in SUFFIXES)
        else:
            self.add(where, suffix or "no suffix", path, picture=suffix not in _NO_PICTURES)

    def folder(self, where: str, path: str) -> bool:
        """Whether a folder is to be passed over; its files are then counted."""
        name = os.path.basename(path)  # noqa: PTH119
        if name.lower() in _BY_PRODUCTS or name.lower().startswith(".trash-"):
            self._whole(where, name, path, picture=False)
        elif name.startswith("."):
            self._whole(where, HIDDEN, path, picture=True)
        elif is_output(Path(path)):
            self._whole(where, "output of azeotrope", path, picture=False)
        else:
            return False
        return True

    def _whole(self, where: str, what: str, path: str, *, picture: bool) -> None:
        count = 0
        for place, folders, files in os.walk(path):
            count += len(files) + sum(os.path.islink(os.path.join(place, name)) for name in folders)  # noqa: PTH114, PTH118
        if count:
            self.add(where, what, path, picture=picture, count=count)

    def counted(self) -> tuple[PassedOver, ...]:
        """All of it: first what may be pictures, then by class."""
        rows = [
            PassedOver(where, what, count, example, picture)
            for (where, what, picture), (count, example) in self._found.items()
        ]
        return tuple(sorted(rows, key=lambda row: (not row.picture, row.where, row.what)))


def is_by_product(name: str) -> bool:
    """Whether a system or a tool leaves files of this name beside a person's own."""
    return name.lower() in _BY_PRODUCTS or name.startswith("._")


def images_below(folder: str, where: str, tally: Tally) -> Iterator[str]:
    """Paths of the images below `folder`: those in it by name, then those of its folders, by name."""
    folders = []
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=attrgetter("name"))
    except OSError as error:
        tally.add(where, f"folders that cannot be opened ({error.strerror})", folder, picture=True)
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
        elif entry.is_symlink() and entry.is_dir():
            tally.add(where, LINK, entry.path, picture=True)
        elif not tally.takes(entry.name):
            tally.file(where, entry.path)
        elif not entry.is_file(follow_symlinks=False) and _is_special(entry):
            tally.add(where, SPECIAL, entry.path, picture=True)
        else:
            yield entry.path
    for path in folders:
        if not tally.folder(where, path):
            yield from images_below(path, where, tally)


def _is_special(entry: os.DirEntry[str]) -> bool:
    """Whether it, no plain file, is no link to one; a link that leads nowhere is a file that cannot be opened."""
    return not entry.is_file() and (not entry.is_symlink() or os.path.exists(entry.path))  # noqa: PTH110 (hot loop)


def folders_in(base: Path, where: str, tally: Tally | None = None) -> list[Path]:
    """The folders directly in `base`, links to folders among them, without by-products and hidden ones."""
    tally = tally or Tally()
    with os.scandir(base) as entries:  # tells folders from files without asking for each
        found = sorted(Path(entry.path) for entry in entries if entry.is_dir())
    return [path for path in found if not tally.folder(where, str(path))]


def loose_in(base: Path, where: str, tally: Tally) -> int:
    """How many images lie directly in `base`, where class folders are expected; all its files are counted."""
    images = 0
    with os.scandir(base) as found:
        for entry in sorted(found, key=lambda entry: entry.name):
            if entry.is_dir():
                continue
            if tally.takes(entry.name):
                images += 1
                tally.add(where, LOOSE, entry.path, picture=True)
            else:
                tally.file(where, entry.path)
    return images
