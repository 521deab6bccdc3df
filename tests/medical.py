"""Medical pictures for tests, with personal data in their tags."""

import io
import warnings

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RLELossless

NAME, NUMBER = "Doe^Jane", "PAT-4711"


def dicom(values, *, window=None, kind="MONOCHROME2", slope=1, intercept=0, syntax=ExplicitVRLittleEndian, **more):
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID, file.file_meta.MediaStorageSOPClassUID = syntax, CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.SOPClassUID, file.PatientName, file.PatientID = CTImageStorage, NAME, NUMBER
    file.PatientComments = f"{NAME} was here"
    file.Rows, file.Columns = values.shape[-3:-1] if kind == "RGB" else values.shape[-2:]
    file.SamplesPerPixel, file.PhotometricInterpretation = 3 if kind == "RGB" else 1, kind
    if kind == "RGB":
        file.PlanarConfiguration = 0
    else:
        file.RescaleSlope, file.RescaleIntercept = slope, intercept
    file.BitsAllocated = file.BitsStored = 8 * values.dtype.itemsize
    file.HighBit, file.PixelRepresentation = file.BitsStored - 1, int(values.dtype.kind == "i")
    if window:
        file.WindowCenter, file.WindowWidth = window
    for name, value in more.items():
        setattr(file, name, value)
    file.PixelData = values.tobytes()
    if syntax == RLELossless:
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file.compress(RLELossless)
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(written, file, enforce_file_format=True)
    return written.getvalue()


def hounsfield(seed=0, shape=(6, 7)):
    return np.random.default_rng(seed).integers(0, 4096, shape).astype(np.uint16)


def medical_set(folder, count=8, shape=(40, 40)):
    for place in range(count):
        into = folder / ("low", "high")[place % 2]
        into.mkdir(parents=True, exist_ok=True)
        stored = (hounsfield(place, shape) // 4 + 1500 * (place % 2)).astype(np.uint16)
        (into / f"{place}.dcm").write_bytes(dicom(stored, intercept=-1024, window=(40, 2000)))
