"""Colour profiles, pictures of phones and medical pictures, against closed forms and what was written."""

import io
import struct
import sys
from dataclasses import replace

import numpy as np
import pillow_heif
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.dataset import Dataset
from pydicom.uid import JPEGLSLossless, RLELossless

from azeotrope.data.decoding import heic
from azeotrope.data.decoding.decode import decode
from azeotrope.data.decoding.reading import Reading, Unreadable
from azeotrope.data.task import load_task
from azeotrope.errors import InputError
from azeotrope.labels import LabelSpec, PixelSpec
from azeotrope.session.exports.export_images import sample_of
from azeotrope.session.exports.predicting import Predictor
from azeotrope.spec import validated
from medical import NAME, dicom, hounsfield, medical_set

from .pictures import encoded, noise, smooth

PHONE = Reading(pixels=PixelSpec(formats=("heic",)))
MEDICAL = PixelSpec(formats=("dicom",))
FINE = PixelSpec(bits=16, formats=("dicom",))
SRGB = Reading(pixels=PixelSpec(colours="srgb"))
# XYZ of the primaries at D50, columns red, green, blue: of Display P3 and of sRGB, as their profiles hold them
P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0010, 0.0419, 0.7841]])
OWN = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
GAMMA = 2.2


def fixed(values):
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def profile(name="made here", primaries=P3):
    """An ICC profile (version 2) of these primaries and one gamma."""
    text = name.encode() + b"\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 79,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": fixed((0.9642, 1.0, 0.8249)),
        **{key: fixed(column) for key, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)},
        **{key: b"curv\0\0\0\0" + struct.pack(">IH", 1, round(GAMMA * 256)) for key in (b"rTRC", b"gTRC", b"bTRC")},
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for key, content in tags.items():
        table += key + struct.pack(">II", start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    header = struct.pack(">I4sI4s4s4s", start + len(body), b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28
    header += struct.pack(">3i", 63_190, 65_536, 54_061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def by_hand(pixels, primaries=P3):
    """From the made profile to sRGB: gamma, primaries, and the curve of IEC 61966-2-1."""
    linear = (pixels / 255) ** GAMMA @ primaries.T @ np.linalg.inv(OWN).T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


class TestProfiles:
    def test_a_wide_profile_becomes_srgb(self):
        pixels = np.array([[[200, 120, 100], [90, 150, 80], [128, 128, 128], [250, 250, 250]]], np.uint8)
        decoded = decode(encoded(pixels, icc_profile=profile()), SRGB)
        np.testing.assert_allclose(decoded.pixels, by_hand(pixels), atol=1.5)
        assert np.abs(decoded.pixels.astype(int) - pixels).max() > 5
        assert decoded.notes == ("icc_converted",)

    def test_without_the_option_every_bit_stays(self):
        pixels = noise(0)
        np.testing.assert_array_equal(decode(encoded(pixels, icc_profile=profile())).pixels, pixels)

    @pytest.mark.parametrize("held", [None, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
    def test_no_profile_and_that_of_srgb_change_nothing(self, held):
        pixels = noise(1)
        decoded = decode(encoded(pixels, **({"icc_profile": held} if held else {})), SRGB)
        np.testing.assert_array_equal(decoded.pixels, pixels)
        assert not decoded.notes

    def test_a_broken_profile_leaves_the_picture_with_a_note(self):
        pixels = noise(2)
        decoded = decode(encoded(pixels, icc_profile=b"no profile at all"), SRGB)
        np.testing.assert_array_equal(decoded.pixels, pixels)
        assert decoded.notes == ("icc_damaged",)

    def test_transparency_and_rotation_are_as_without(self):
        layered = np.dstack([noise(3), np.full((12, 16), 255, np.uint8)])
        exif = Image.Exif()
        exif[274] = 6
        decoded = decode(encoded(layered, icc_profile=profile(), exif=exif), SRGB)
        plain = decode(encoded(noise(3), icc_profile=profile()), SRGB)
        np.testing.assert_array_equal(decoded.pixels, np.rot90(plain.pixels, -1))

    def test_bands_and_16_bits_have_no_profiles(self):
        with pytest.raises(InputError, match="ICC profiles bring grey and colour of 8 bits to sRGB"):
            validated(LabelSpec, {"pixels": {"colours": "srgb", "bits": 16}})

    def test_the_option_makes_another_set(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            for place in range(4):
                (tmp_path / name / f"{place}.png").write_bytes(encoded(noise(place + 9 * (name == "b"))))
        one, two = (load_task(str(tmp_path), labels=LabelSpec(pixels=each.pixels)) for each in (Reading(), SRGB))
        assert one.fingerprint != two.fingerprint


def phone(pixels, **how):
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=-1, chroma=444, matrix_coefficients=0, **how)
    return file.getvalue()


class TestHeic:
    def test_a_lossless_picture_comes_back(self):
        pixels = smooth(0)
        np.testing.assert_allclose(decode(phone(pixels), PHONE).pixels, pixels, atol=1)

    def test_without_the_extra_it_is_named(self, monkeypatch):
        heic._register.cache_clear()
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        with pytest.raises(Unreadable, match=r"a HEIC picture: pip install 'azeotrope\[heic\]'"):
            decode(phone_bytes(), PHONE)

    def test_a_cut_file_is_damaged(self):
        with pytest.raises(Unreadable, match=r"damaged|not an image"):
            decode(phone(smooth(1))[:300], PHONE)

    def test_avif_is_none(self):
        assert not heic.is_heic(encoded(smooth(0), "AVIF"))
        assert heic.is_heic(phone(smooth(0)))


def phone_bytes():
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100


def reason_of(raw):
    """Why a file is not read; "" where it is."""
    try:
        decode(raw, Reading(pixels=MEDICAL))
    except Unreadable as reason:
        return str(reason)
    return ""


def of_frame(slope, intercept, centre, width):
    """What an enhanced file says of a frame."""
    values, window, group = Dataset(), Dataset(), Dataset()
    values.RescaleSlope, values.RescaleIntercept, values.RescaleType = slope, intercept, "HU"
    window.WindowCenter, window.WindowWidth = centre, width
    group.PixelValueTransformationSequence, group.FrameVOILUTSequence = [values], [window]
    return group


class TestDicom:
    def test_values_are_rescaled_and_ranged(self):
        stored = hounsfield()
        raw = dicom(stored, slope=2, intercept=-1024, window=(40, 400))
        for bits, peak in ((8, 255), (16, 65_535)):
            decoded = decode(raw, Reading((-1000, 2000), PixelSpec(bits=bits, formats=("dicom",))))
            wanted = np.round(((stored * 2.0 - 1024 + 1000) / 3000).clip(0, 1) * peak)
            np.testing.assert_array_equal(decoded.pixels[..., 0], wanted)

    def test_a_window_is_that_of_the_standard(self):
        """PS3.3 C.11.2.1.2.1: ((x - (c - 0.5)) / (w - 1) + 0.5) of the output range."""
        stored = hounsfield(1)
        decoded = decode(dicom(stored, intercept=-1024, window=(40, 400)), Reading(pixels=MEDICAL))
        shares = ((stored - 1024.0 - 39.5) / 399 + 0.5).clip(0, 1)
        np.testing.assert_array_equal(decoded.pixels[..., 0], np.round(shares * 255))
        assert decoded.notes == ("dicom_window",)
        exact = dicom(stored, window=([2000, 1], [100, 1]), VOILUTFunction="LINEAR_EXACT")
        exact = decode(exact, Reading(pixels=MEDICAL)).pixels
        np.testing.assert_array_equal(exact[..., 0], np.round(((stored - 1950.0) / 100).clip(0, 1) * 255))

    def test_monochrome1_has_white_at_its_lowest_value(self):
        stored = hounsfield(2)
        one, two = (
            decode(dicom(stored, kind=kind), Reading((0, 4095), MEDICAL)).pixels
            for kind in ("MONOCHROME1", "MONOCHROME2")
        )
        np.testing.assert_array_equal(one, 255 - two)

    def test_colour_palettes_and_compressed_runs_are_read(self):
        colour = noise(4, (6, 8, 3))
        np.testing.assert_array_equal(decode(dicom(colour, kind="RGB"), Reading(pixels=MEDICAL)).pixels, colour)
        stored = hounsfield(5)
        raw = dicom(stored, syntax=RLELossless)
        np.testing.assert_array_equal(decode(raw, Reading((0, 65_535), FINE)).pixels[..., 0], stored)

    def test_of_several_frames_the_first_is_taken(self):
        stored = hounsfield(6, (3, 6, 7))
        decoded = decode(dicom(stored, NumberOfFrames=3), Reading((0, 65_535), FINE))
        np.testing.assert_array_equal(decoded.pixels[..., 0], stored[0])
        assert decoded.notes == ("animated",)

    def test_colour_of_12_bits_keeps_its_brightness(self):
        colour = noise(4, (6, 8, 3))
        raw = dicom(colour.astype(np.uint16) << 4, kind="RGB", BitsStored=12, HighBit=11)
        np.testing.assert_array_equal(decode(raw, Reading(pixels=MEDICAL)).pixels, colour)

    @pytest.mark.parametrize("place", ["PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"])
    def test_an_enhanced_file_says_for_a_frame_how_it_is_shown(self, place):
        """As PS3.3 C.7.6.16 nests it; the first of two frames counts, also before what is shared."""
        stored = hounsfield(8, (2, 6, 7))
        groups = {place: [of_frame(2, -1024, 40, 400), of_frame(1, 0, 0, 2)]}
        if place.startswith("Per"):
            groups["SharedFunctionalGroupsSequence"] = [of_frame(3, 0, 7, 9)]
        decoded = decode(dicom(stored, NumberOfFrames=2, **groups), Reading(pixels=MEDICAL))
        shares = ((stored[0] * 2.0 - 1024 - 39.5) / 399 + 0.5).clip(0, 1)
        np.testing.assert_array_equal(decoded.pixels[..., 0], np.round(shares * 255))
        assert decoded.notes == ("dicom_window", "animated")

    def test_overlays_are_ignored_in_planes_and_above_the_stored_bits(self):
        stored = hounsfield(7)
        plain = Reading((0, 65_535), FINE)
        above = dicom(stored | np.uint16(0x8000), BitsStored=12, HighBit=11)
        np.testing.assert_array_equal(decode(above, plain).pixels[..., 0], stored)
        planes = pydicom.dcmread(io.BytesIO(dicom(stored)))
        for tag, kind, value in ((0x10, "US", 6), (0x11, "US", 7), (0x3000, "OW", b"\xff" * 6)):
            planes.add_new((0x6000, tag), kind, value)
        written = io.BytesIO()
        planes.save_as(written)
        np.testing.assert_array_equal(decode(written.getvalue(), plain).pixels[..., 0], stored)

    def test_negative_values_without_window_ask_for_a_range(self):
        with pytest.raises(Unreadable, match="whose range is not known: --range LOW,HIGH names it"):
            decode(dicom(hounsfield(), intercept=-1024), Reading(pixels=MEDICAL))

    def test_a_codec_that_is_not_installed_is_named(self):
        raw = bytearray(dicom(hounsfield()))
        file = pydicom.dcmread(io.BytesIO(bytes(raw)))
        file.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8" * 20])
        file["PixelData"].is_undefined_length = True
        file.file_meta.TransferSyntaxUID = JPEGLSLossless
        written = io.BytesIO()
        file.save_as(written)
        with pytest.raises(Unreadable) as refused:
            decode(written.getvalue(), Reading(pixels=MEDICAL))
        assert str(refused.value).startswith(
            "a DICOM file compressed as JPEG-LS Lossless Image Compression, of which no"
        )
        assert "pip install pylibjpeg[all], or save it uncompressed" in str(refused.value)

    def test_without_the_extra_it_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pydicom", None)
        with pytest.raises(Unreadable, match=r"a DICOM file: pip install 'azeotrope\[dicom\]'"):
            decode(b"\0" * 128 + b"DICM", Reading(pixels=MEDICAL))

    def test_no_reason_quotes_the_file(self):
        """Cut everywhere, and with every tag that decides made nonsense."""
        whole = dicom(hounsfield(), window=(40, 400))
        broken = [whole[:stop] for stop in range(132, len(whole), 7)]
        spoilt = [dicom(hounsfield(), **{name: value}) for name, value in (("BitsStored", 0), ("Rows", 60_000))]
        reasons = [reason_of(raw) for raw in (*broken, *spoilt)]
        assert sum(map(bool, reasons)) > 20
        assert not any(word in reason for reason in reasons for word in ("Doe", "Jane", "4711"))

    def test_each_picture_of_a_set_has_its_window_until_a_range_is_given(self, tmp_path):
        medical_set(tmp_path)
        windowed, ranged = (
            load_task(str(tmp_path), labels=LabelSpec(value_range=each, pixels=MEDICAL)) for each in (None, (-500, 500))
        )
        assert windowed.manifest.readable.all()
        assert windowed.manifest.value_range is None
        assert ranged.manifest.value_range == (-500, 500)
        assert windowed.manifest.notes == {"dicom_window": 8}
        assert (windowed.manifest.own_windows, ranged.manifest.own_windows) == (True, False)
        assert windowed.fingerprint != ranged.fingerprint

    def test_a_model_of_windows_answers_for_no_file_without_one(self):
        model = Predictor("single", ("a", "b"), None, Reading(pixels=MEDICAL), said=np.sum, own_windows=True)
        raw = dicom(hounsfield())
        with pytest.raises(
            Unreadable, match="no window of its own, as the medical pictures that the model was trained"
        ):
            model.picture(raw)
        assert replace(model, own_windows=False).picture(raw).any()
        assert model.picture(dicom(hounsfield(), window=(2000, 400))).any()
        assert model.picture(dicom(noise(4, (6, 8, 3)), kind="RGB")).any()

    def test_the_sample_of_a_bundle_holds_pixels_only(self, tmp_path):
        medical_set(tmp_path)
        name, content = sample_of(load_task(str(tmp_path), labels=LabelSpec(pixels=MEDICAL)), 0)
        assert name == "picture.png"
        assert NAME.encode() not in content

    def test_a_picture_without_window_leaves_those_of_the_others_alone(self, tmp_path):
        medical_set(tmp_path)
        (tmp_path / "low" / "odd.dcm").write_bytes(dicom(hounsfield(50, (40, 40)), intercept=-1024))
        asked = LabelSpec(pixels=MEDICAL)
        manifest = load_task(str(tmp_path), labels=asked).manifest
        odd = manifest.keys.index("low/odd.dcm")
        assert manifest.value_range is None
        assert manifest.readable.sum() == 8
        assert manifest.reasons == {
            odd: "no window of its own, as 8 medical pictures of this set have: --range LOW,HIGH, or percentile, gives "
            "all of them one scale"
        }
        ranged = LabelSpec(value_range=(-1000, 1000), pixels=MEDICAL)
        assert load_task(str(tmp_path), labels=ranged).manifest.readable.all()


class TestAskedFor:
    @pytest.fixture
    def mixed(self, tmp_path):
        """Two classes of four PNG files each, with a phone's picture and a medical one in each."""
        for place, name in enumerate(("a", "b")):
            (tmp_path / name).mkdir()
            for each in range(4):
                (tmp_path / name / f"{each}.png").write_bytes(encoded(noise(each + 9 * place)))
        return tmp_path

    def add(self, folder):
        for place, name in enumerate(("a", "b")):
            (folder / name / "x.heic").write_bytes(phone(smooth(place)))
            (folder / name / "x.dcm").write_bytes(dicom(hounsfield(place, (12, 16)), window=(40, 400)))

    def test_files_of_other_formats_leave_a_plain_set_as_it_was(self, mixed):
        before = load_task(str(mixed)).fingerprint
        self.add(mixed)
        task = load_task(str(mixed))
        assert task.fingerprint == before
        said = " ".join(task.words)
        assert "2 files called .heic (1 in a, 1 in b)" in said
        assert "add --formats heic if they belong to the set" in said
        assert "add --formats dicom if they belong to the set" in said

    def test_asked_for_they_are_pictures_of_another_set(self, mixed):
        self.add(mixed)
        one, both = (
            load_task(str(mixed), labels=LabelSpec(pixels=PixelSpec(formats=formats)))
            for formats in (("heic",), ("heic", "dicom"))
        )
        assert (len(one.manifest.keys), len(both.manifest.keys)) == (10, 12)
        assert both.manifest.readable.all()
        assert len({one.fingerprint, both.fingerprint, load_task(str(mixed)).fingerprint}) == 3

    def test_a_folder_of_nothing_else_names_the_option(self, tmp_path):
        medical_set(tmp_path)
        with pytest.raises(InputError) as refused:
            load_task(str(tmp_path))
        assert refused.value.next_step == "add --formats dicom to read them"

    def test_bytes_are_read_only_where_asked_whatever_is_installed(self):
        with pytest.raises(Unreadable, match=r"a file of DICOM, which is read where .* --formats dicom"):
            decode(dicom(hounsfield()))
        with pytest.raises(Unreadable, match="a file of HEIC, which is read"):
            decode(phone(smooth(0)), Reading(pixels=MEDICAL))

    @pytest.mark.parametrize(("name", "module"), [("heic", "pillow_heif"), ("dicom", "pydicom")])
    def test_without_the_extra_the_set_is_refused_at_once(self, name, module, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(InputError) as refused:
            load_task(str(tmp_path), labels=LabelSpec(pixels=PixelSpec(formats=(name,))))
        assert refused.value.found == f"{module} not installed"
        assert refused.value.next_step == f"pip install 'azeotrope[{name}]', or leave out --formats {name}"

    def test_bands_without_their_extra_are_refused_at_once(self, monkeypatch, tmp_path):
        monkeypatch.setitem(sys.modules, "tifffile", None)
        with pytest.raises(InputError) as refused:
            load_task(str(tmp_path), labels=LabelSpec(pixels=PixelSpec(bands="all")))
        assert refused.value.found == "tifffile not installed"
        assert refused.value.next_step == "pip install 'azeotrope[bands]', or leave out --bands"

    def test_an_unknown_format_is_refused(self):
        with pytest.raises(InputError, match="'dicom' or 'heic'"):
            validated(LabelSpec, {"pixels": {"formats": ["cr2"]}})
