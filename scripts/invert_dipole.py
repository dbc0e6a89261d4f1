"""Reconstruct the susceptibility map of one scan."""

from pathlib import Path

from qsmstudy import physics
from qsmstudy.dataset import bids, images
from qsmstudy.recon import background, inputs, inversion, map_sign
from qsmstudy.recon.reference import fluid_mask
from qsmstudy.run import job


def main(
    *, local_field: Path, combined: Path, mask: Path, noise: Path, r2star: Path, chi: Path,
    method: str, backend: str,
    lambda_fidelity: float, lambda_csf: float, merit: int, smv_radius_mm: float,
    edge_fraction: float, edge_region: str, max_iterations: int, tolerance: float,
    padding_mm: float | None,
    tkd_threshold: float, tikhonov_weight: float, csf_r2star_threshold: float, reference: str,
) -> None:  # fmt: skip
    """Invert the local field to susceptibility, and refer it to a region."""
    options = inversion.in_force(inputs.Options(
        method=method, backend=backend, lambda_fidelity=lambda_fidelity, lambda_csf=lambda_csf,
        merit=merit, smv_radius_mm=smv_radius_mm, edge_fraction=edge_fraction,
        edge_region=edge_region,
        max_iterations=max_iterations, tolerance=tolerance, padding_mm=padding_mm,
        tkd_threshold=tkd_threshold, tikhonov_weight=tikhonov_weight,
    ))  # fmt: skip
    field = images.load(local_field)
    brain = images.load(mask, like=field, dtype=bool).values
    background.check_mask(brain)
    decay = images.load(r2star, like=field).values
    spread = images.load(noise, like=field).values
    fluid = fluid_mask(
        decay, brain, fitted=spread > 0, voxel_size=field.voxel_size,
        r2star_threshold=csf_r2star_threshold,
    )  # fmt: skip
    scan = inputs.Scan(
        field.values, images.load(combined, like=field).values, spread, brain, fluid,
        field.voxel_size, physics.b0_direction(field.affine),
    )  # fmt: skip
    solution, inside, zero = inversion.invert_dipole(
        scan, options=options,
        echo_spacing=bids.sidecar_number(local_field, "EchoSpacing"),
        field_strength=bids.sidecar_number(local_field, "MagneticFieldStrength"),
        refer_to=reference,
    )  # fmt: skip
    sidecar = {
        "Units": "ppm",
        "SkullStripped": True,
        "Sources": [path.name for path in (local_field, combined, mask, noise, r2star)],
        "Parameters": options.report()
        | {"csf_r2star_threshold": csf_r2star_threshold, "reference": reference},
        "Solver": {"Name": inversion.TITLES[method], **solution.report()},
        "Reference": zero.report(),
        "SignContrastPpm": map_sign.iron_contrast(
            solution.values, decay, inside, voxel_size=field.voxel_size
        ),
    }
    images.save(chi, solution.values, field.affine, sidecar=sidecar)


if __name__ == "__main__":
    job.run(main)
