# Priorities grow along the chain: scans are finished one by one, the first maps come early, and
# Snakemake has few jobs to choose from.


rule fit_field:
    """Fit frequency, its noise and R2* to the echoes."""
    input:
        of_scan(source.sidecars),
        magnitude=of_scan(source.magnitude),
        phase=of_scan(source.phase),
    output:
        f"{QSM}_desc-wrapped_fieldmap.json",
        f"{QSM}_desc-noise_fieldmap.json",
        f"{QSM}_desc-residual_fieldmap.json",
        f"{QSM}_R2starmap.json",
        f"{QSM}_desc-combined_magnitude.json",
        field=f"{QSM}_desc-wrapped_fieldmap.nii.gz",
        noise=f"{QSM}_desc-noise_fieldmap.nii.gz",
        residual=f"{QSM}_desc-residual_fieldmap.nii.gz",
        r2star=f"{QSM}_R2starmap.nii.gz",
        combined=f"{QSM}_desc-combined_magnitude.nii.gz",
    priority: 10
    resources:
        mem_mb=engine.growing(3000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("fit_field"),
    script:
        "../../scripts/fit_field.py"


rule unwrap_phase:
    """Unwrap the field."""
    input:
        json_of(rules.fit_field.output.field),
        field=rules.fit_field.output.field,
        combined=rules.fit_field.output.combined,
        noise=rules.fit_field.output.noise,
    output:
        f"{QSM}_desc-total_fieldmap.json",
        total_field=f"{QSM}_desc-total_fieldmap.nii.gz",
    priority: 20
    resources:
        mem_mb=engine.growing(2000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("unwrap_phase"),
    script:
        "../../scripts/unwrap_phase.py"


rule extract_brain:
    """Find the brain on the combined magnitude, or take the user's mask."""
    input:
        json_of(rules.fit_field.output.combined),
        combined=rules.fit_field.output.combined,
        residual=rules.fit_field.output.residual,
        noise=rules.fit_field.output.noise,
        own_mask=of_scan(source.brain_mask),
    output:
        f"{QSM}_desc-brain_mask.json",
        mask=f"{QSM}_desc-brain_mask.nii.gz",
    priority: 20
    resources:
        mem_mb=engine.growing(2000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("extract_brain"),
    script:
        "../../scripts/extract_brain.py"


rule remove_background:
    """Remove the field of sources outside the brain."""
    input:
        json_of(rules.unwrap_phase.output.total_field),
        total_field=rules.unwrap_phase.output.total_field,
        mask=rules.extract_brain.output.mask,
        noise=rules.fit_field.output.noise,
    output:
        f"{QSM}_desc-local_fieldmap.json",
        f"{QSM}_desc-field_mask.json",
        local_field=f"{QSM}_desc-local_fieldmap.nii.gz",
        field_mask=f"{QSM}_desc-field_mask.nii.gz",
    priority: 30
    resources:
        mem_mb=engine.growing(3000),
        runtime=engine.growing(20),
    params:
        **fingerprinted("remove_background"),
    script:
        "../../scripts/remove_background.py"


rule invert_dipole:
    """Invert the local field into susceptibility by MEDI."""
    input:
        json_of(rules.remove_background.output.local_field),
        local_field=rules.remove_background.output.local_field,
        combined=rules.fit_field.output.combined,
        mask=rules.remove_background.output.field_mask,
        noise=rules.fit_field.output.noise,
        r2star=rules.fit_field.output.r2star,
    output:
        f"{QSM}_Chimap.json",
        chi=f"{QSM}_Chimap.nii.gz",
    priority: 40
    resources:
        mem_mb=engine.growing(3000),
        runtime=engine.growing(30),
    params:
        **fingerprinted("invert_dipole"),
    script:
        "../../scripts/invert_dipole.py"
