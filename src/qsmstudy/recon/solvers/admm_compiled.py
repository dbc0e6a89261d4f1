"""The fast solver's kernels as compiled loops on NumPy arrays: single precision, one thread."""

import numpy as np
from numba import njit

from qsmstudy.recon import fourier
from qsmstudy.recon.solvers.objective import EPSILON, FAINT, FAINT_BITS

# NumPy's division does not test for zero in every pass, which lets loops vectorise.
# No fastmath: with it, code compiled afresh and code from the cache round differently.
_compiled = njit(cache=True, error_model="numpy")

# The same names as the methods of `admm_arrays.ArrayKernels`; here nothing needs to be copied.
scalar, to_spectrum, to_volume = np.float32, fourier.forward, fourier.inverse
array = edges = to_numpy = np.asarray


@_compiled
def fluid_step(x, state, fluid, kept, nu, relax, rhs):
    """Pull x to its mean inside the fluid; add ``nu (2 s - t)`` to `rhs`.

    `kept`, ``nu / (nu + lambda_csf)``, is the part of a deviation from the mean that remains.
    """
    flat, past, inside = x.reshape(-1), state.reshape(-1), fluid.reshape(-1)
    target = rhs.reshape(-1)
    total, count = 0.0, 0
    for i in range(flat.size):
        if inside[i]:
            total += relax * flat[i] + past[i]
            count += 1
    mean = np.float32(total / count)
    two = np.float32(2)
    for i in range(flat.size):
        t = relax * flat[i] + past[i]
        s = mean + kept * (t - mean) if inside[i] else t
        past[i] = t - relax * s
        target[i] += nu * (two * s - t)


@_compiled
def _shrink_row(row, state, bits, axis, rho, new_rho, relax, scale):
    """Apply the proximal map of ``sqrt(y^2 + eps)`` to a row of t; `row` becomes ``scale (y - u)``.

    It finds the root of ``y + p y / sqrt(y^2 + eps) = |t|`` with p = 1 / rho: an initial value
    accurate to a few per cent on either side of the bend at |t| = p, then one step of Halley's
    method. The remaining error is at most 4e-5 rad/mm (0.01 ppb) for a penalty of 1, and smaller
    for larger penalties. The knee is cbrt(p eps / 2), y at the bend. A faint edge has a smaller p;
    an entry without penalty has y = t.
    """
    full, faint = np.uint8(1 << axis), np.uint8(1 << (axis + FAINT_BITS))
    p_full, p_faint = np.float32(1 / rho), np.float32(FAINT / rho)
    knee_full = np.float32(np.cbrt(EPSILON / (2 * rho)))
    knee_faint = np.float32(np.cbrt(FAINT * EPSILON / (2 * rho)))
    eps, zero, one, two = np.float32(EPSILON), np.float32(0), np.float32(1), np.float32(2)
    half, three, tiny = np.float32(0.5), np.float32(3), np.float32(1e-20)
    small, ratio = np.sqrt(eps), rho / new_rho
    for k in range(row.size):
        t = row[k]
        size = abs(t)
        p, c = (p_faint, knee_faint) if (bits[k] & faint) != 0 else (zero, zero)
        p, c = (p_full, knee_full) if (bits[k] & full) != 0 else (p, c)
        beyond = size - p
        below = beyond < -c
        # One root for both sides of the bend: roots and divisions take most of a step's time.
        square = (p - size) * (p + size) if below else beyond * beyond + two * two * c * c
        length = np.sqrt(max(square, tiny))
        y = min(small * size / length, size) if below else half * (beyond + length)
        root = one / np.sqrt(y * y + eps)
        curve = p * eps * root * root * root
        f = y + p * y * root - size
        slope = one + curve
        y -= two * f * slope / (two * slope * slope + three * f * curve * y * root * root)
        y = np.copysign(y, t)
        u = ratio * (t - y)
        state[k] = u + (one - relax) * y
        row[k] = scale * (y - u)


@_compiled
def _difference(here, there, state, factor, out):
    for k in range(out.size):
        out[k] = factor * (there[k] - here[k]) + state[k]


@_compiled
def _subtract(values, out):
    for k in range(out.size):
        out[k] -= values[k]


@_compiled
def _add(values, out):
    for k in range(out.size):
        out[k] += values[k]


@_compiled
def gradient_step(x, state, smooth, inverse_size, rho, new_rho, relax, rhs):
    """Apply the proximal map of the gradient; add ``new_rho grad^T (y - u)`` to `rhs`.

    The loops run over whole slabs: single rows are too short to vectorise well.
    """
    nx, ny, nz = x.shape
    slab = np.empty(ny * nz, dtype=np.float32)
    for i in range(nx):
        i_next = i + 1 if i + 1 < nx else 0
        here, bits, out = x[i].reshape(-1), smooth[i].reshape(-1), rhs[i].reshape(-1)
        for axis in range(3):
            past = state[axis, i].reshape(-1)
            factor = relax * inverse_size[axis]
            if axis == 0:
                _difference(here, x[i_next].reshape(-1), past, factor, slab)
            elif axis == 1:
                _difference(here[:-nz], here[nz:], past[:-nz], factor, slab[:-nz])
                _difference(here[-nz:], here[:nz], past[-nz:], factor, slab[-nz:])
            else:
                _difference(here[:-1], here[1:], past[:-1], factor, slab[:-1])
                for end in range(nz - 1, slab.size, nz):
                    slab[end] = factor * (here[end - nz + 1] - here[end]) + past[end]
            scale = new_rho * inverse_size[axis]
            _shrink_row(slab, past, bits, axis, rho, new_rho, relax, scale)
            # The transposed difference adds each entry to its two ends.
            _subtract(slab, out)
            if axis == 0:
                _add(slab, rhs[i_next].reshape(-1))
            elif axis == 1:
                _add(slab[:-nz], out[nz:])
                _add(slab[-nz:], out[:nz])
            else:
                for end in range(nz - 1, slab.size, nz):
                    out[end - nz + 1] += slab[end]
                    slab[end] = 0
                _add(slab[:-1], out[1:])


@_compiled
def _sine_cosine(d):
    """Return sine and cosine; of small angles (most of them) by series accurate to 3e-7."""
    if abs(d) < np.float32(0.25):
        square, one = d * d, np.float32(1)
        sine = d * (one - square * np.float32(1 / 6) * (one - square * np.float32(1 / 20)))
        cosine = one - square * np.float32(1 / 2) * (one - square * np.float32(1 / 12))
        return sine, cosine
    return np.sin(d), np.cos(d)


@_compiled
def field_step(field_of_x, state, field, weight, curvature, ratio, relax, lock_wraps):
    """Apply the proximal map of the data term; `field_of_x`, ``D x``, becomes ``z - u``.

    It solves ``z + c sin(z - b) = t`` for ``d = z - b``, with t - b wrapped to (-pi, pi]: there is
    exactly one root between 0 and that difference, and Newton's method from 0 converges to it.

    With `lock_wraps` the whole turns are those of ``D x - b``, not the nearest. A voxel whose field
    no map fits, mostly one of small weight, would otherwise switch between two turns for ever and
    move the map around it. If ``D x - b`` is on the concave part of its turn, or the convex part
    has no root, the data term is replaced by the parabola of curvature 1 that touches it at D x
    and lies above it. The steps are shorter then, and end where the data term has no slope.
    """
    turn = np.float32(2 * np.pi)
    one, quarter = np.float32(1), np.float32(np.pi / 2)
    flat, past = field_of_x.reshape(-1), state.reshape(-1)
    b, m = field.reshape(-1), weight.reshape(-1)
    for i in range(flat.size):
        t = relax * flat[i] + past[i]
        z = t
        if m[i] > 0:
            c = curvature * m[i] * m[i]
            gap, misfit = t - b[i], flat[i] - b[i]
            turns = turn * np.rint((misfit if lock_wraps else gap) / turn)
            gap, misfit = gap - turns, misfit - turns
            if lock_wraps and (abs(misfit) > quarter or abs(gap) > quarter + c):
                sine, _ = _sine_cosine(misfit)
                z = (t + c * (flat[i] - sine)) / (one + c)
            else:
                d = gap / (one + c)
                for _ in range(12):
                    sine, cosine = _sine_cosine(d)
                    change = (gap - d - c * sine) / max(one + c * cosine, np.float32(0.1))
                    d += change
                    if abs(change) < np.float32(1e-5):
                        break
                z = t - gap + d
        u = ratio * (t - z)
        past[i] = u + (one - relax) * z
        flat[i] = z - u


@_compiled
def combine(spectrum, field_spectrum, dipole, power, rho, mu, nu):
    """Solve the diagonal system in place: `spectrum` becomes x, `field_spectrum` D x.

    Its matrix is ``rho grad^T grad + mu D^2 + nu``. The data do not determine x at k = 0; it is
    set to zero.
    """
    # As pairs of reals: dividing a complex by a real number is slow in compiled code.
    a, b = spectrum.reshape(-1).view(np.float32), field_spectrum.reshape(-1).view(np.float32)
    d, p = dipole.reshape(-1), power.reshape(-1)
    a[0] = a[1] = b[0] = b[1] = 0
    for i in range(1, d.size):
        pull = mu * d[i]
        inverse = np.float32(1) / (rho * p[i] + pull * d[i] + nu)
        real = (a[2 * i] + pull * b[2 * i]) * inverse
        imaginary = (a[2 * i + 1] + pull * b[2 * i + 1]) * inverse
        a[2 * i], a[2 * i + 1] = real, imaginary
        b[2 * i], b[2 * i + 1] = d[i] * real, d[i] * imaginary


@_compiled
def relative_change(x, before, weight):
    """Return ``|| m (x - before) || / || m x ||``, summed in double precision."""
    new, old, w = x.reshape(-1), before.reshape(-1), weight.reshape(-1)
    change, size = 0.0, 0.0
    for i in range(new.size):
        step = np.float64(w[i] * (new[i] - old[i]))
        value = np.float64(w[i] * new[i])
        change += step * step
        size += value * value
    return np.sqrt(change / size) if size > 0 else 0.0
