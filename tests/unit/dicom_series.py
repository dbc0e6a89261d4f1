"""A small head as the DICOM series of Siemens, Philips and GE scanners, by pydicom."""

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from spherical_head import MAGNITUDE, PHASE, SIZE, TIMES

#: Part of the head: enough to see orientation, small enough to write in no time.
PART = np.s_[8:40, 10:50, 16:24]
BLOCK_MAGNITUDE, BLOCK_PHASE = MAGNITUDE[PART], PHASE[PART]
ALL = range(len(TIMES))


def _slice(common, stored, *, z, instance, **tags):
    """Return one slice; columns run to the patient's right, rows to the front."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    signed = stored.min() < 0
    described = {
        "Modality": "MR", "PatientName": "Phantom^$(touch x)", "PatientID": "p", "StudyID": "1",
        "StudyDate": "20240101", "StudyTime": "120000", "SeriesDate": "20240101",
        "SeriesTime": "120000", "AcquisitionTime": "120000", "ContentTime": "120000",
        "MagneticFieldStrength": 3, "ImagingFrequency": 123.2, "RepetitionTime": 55,
        "FlipAngle": 15, "MRAcquisitionType": "3D", "ScanningSequence": "GR",
        "SequenceVariant": "SP", "ScanOptions": "", "SliceThickness": SIZE[2],
        "SpacingBetweenSlices": SIZE[2], "PixelSpacing": [SIZE[1], SIZE[0]],
        "ImageOrientationPatient": [-1, 0, 0, 0, -1, 0], "ImagePositionPatient": [0, 0, z],
        "SliceLocation": z, "InstanceNumber": instance, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": stored.shape[1],
        "Columns": stored.shape[0], "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15,
        "PixelRepresentation": int(signed), "NumberOfTemporalPositions": 1,
    }  # fmt: skip
    for name, value in (described | common | tags).items():
        setattr(image, name, value)
    image.PixelData = stored.T.astype(np.int16 if signed else np.uint16).tobytes()
    return image


def _write(folder, volumes, common):
    """Write volumes: (stored values, tags) each a stack of slices."""
    folder.mkdir(parents=True, exist_ok=True)
    common = common | {
        "StudyInstanceUID": generate_uid(), "FrameOfReferenceUID": generate_uid(),
    }  # fmt: skip
    instance = 0
    uids: dict[int, str] = {}
    for stored, tags in volumes:
        uid = uids.setdefault(tags["SeriesNumber"], generate_uid())
        private = {key: value for key, value in tags.items() if not isinstance(key, str)}
        named = {key: value for key, value in tags.items() if isinstance(key, str)}
        for k in range(stored.shape[2]):
            instance += 1
            image = _slice(
                common, stored[..., k], z=k * SIZE[2], instance=instance, SeriesInstanceUID=uid,
                **named,
            )  # fmt: skip
            for (group, creator, element), (vr, value) in private.items():
                image.private_block(group, creator, create=True).add_new(element, vr, value)
            name = folder / f"IM{instance:05d}.dcm"
            pydicom.dcmwrite(name, image, enforce_file_format=True)


def _turns(n, phase=BLOCK_PHASE):
    """Return the phase as integers from 0, `n` steps a turn."""
    return np.floor((phase + np.pi) * n / (2 * np.pi)).astype(int) % n


def _echo(index):
    return {"EchoTime": 1000 * TIMES[index], "EchoNumbers": index + 1}


def siemens(folder, echoes=ALL, *, magnitude=BLOCK_MAGNITUDE, phase=BLOCK_PHASE):
    """Siemens: magnitude and phase as two series; phase of 12 bits."""
    phase = _turns(4096, phase)
    volumes = [
        (np.rint(magnitude[..., e]),
         {"SeriesNumber": 5, "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]} | _echo(e))
        for e in echoes
    ] + [
        (phase[..., e],
         {"SeriesNumber": 6, "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"],
          "RescaleSlope": 2, "RescaleIntercept": -4096, "RescaleType": "US"} | _echo(e))
        for e in echoes
    ]  # fmt: skip
    _write(
        folder, volumes,
        {"Manufacturer": "SIEMENS", "ManufacturerModelName": "Prisma", "SequenceName": "*fl3d8",
         "SeriesDescription": "QSM_GRE", "ProtocolName": "QSM_GRE"},
    )  # fmt: skip


def philips(folder, echoes=ALL):
    """Philips: one series; the phase rescales to milliradians."""
    phase = _turns(4096)
    kind = {"M": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
            "P": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]}  # fmt: skip
    volumes = [
        (values, {"SeriesNumber": 401, "ImageType": kind[part]} | scale | _echo(e))
        for e in echoes
        for part, values, scale in (
            ("M", np.rint(BLOCK_MAGNITUDE[..., e]), {"RescaleSlope": 1, "RescaleIntercept": 0}),
            ("P", phase[..., e],
             {"RescaleSlope": 2000 * np.pi / 4096, "RescaleIntercept": -1000 * np.pi}),
        )
    ]  # fmt: skip
    _write(
        folder, volumes,
        {"Manufacturer": "Philips Medical Systems", "ManufacturerModelName": "Achieva",
         "SeriesDescription": "QSM GRE", "ProtocolName": "QSM GRE"},
    )  # fmt: skip


def ge(folder, echoes=ALL):
    """GE: real and imaginary part, told apart by a private tag."""
    signal = BLOCK_MAGNITUDE * np.exp(1j * BLOCK_PHASE)
    volumes = [
        (np.rint(values), {"SeriesNumber": 7, "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
                           (0x43, "GEMS_PARM_01", 0x2F): ("SS", code)} | _echo(e))
        for e in echoes
        for code, values in ((2, signal.real[..., e]), (3, signal.imag[..., e]))
    ]  # fmt: skip
    _write(
        folder, volumes,
        {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "SIGNA",
         "SeriesDescription": "SWAN QSM", "ProtocolName": "SWAN"},
    )  # fmt: skip


#: How far a phase may be off by its stored step [rad].
VENDORS = {siemens: 2 * np.pi / 4096, philips: 2.1 * np.pi / 4096, ge: None}
