"use strict";
// The map viewer: unpacks the scan that the reader chooses and hands it to NiiVue.
(() => {
  const root = document.getElementById("maps");
  if (!root) return;
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const field = (name) => root.querySelector(`[name="${name}"]`);
  const choice = field("scan");
  const canvas = part("canvas");
  const holder = part("stage");
  const names = [...choice.options].map((option) => option.value).filter(Boolean);
  const hasWebGL = Boolean(document.createElement("canvas").getContext("webgl2"));
  let viewer = null; // NiiVue, started with the first scan
  let shown = null; // the unpacked scan

  // --- Unpacking; the format is described in src/qsmstudy/report/viewer.py --------------------
  const inflate = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  const unpack = async (planes, [width, height, depth]) => {
    const [low, high] = await Promise.all(planes.map(inflate));
    const values = new Int16Array(width * height * depth);
    for (let z = 0, at = 0; z < depth; z += 1) {
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1, at += 1) {
          const a = x ? values[at - 1] : 0;
          const b = y ? values[at - width] : 0;
          const c = x && y ? values[at - width - 1] : 0;
          const guess = Math.min(Math.max(a + b - c, Math.min(a, b)), Math.max(a, b));
          const stored = low[at] + (high ? 256 * high[at] : 0);
          values[at] = guess + (stored & 1 ? -(stored + 1) / 2 : stored / 2);
        }
      }
    }
    return values;
  };

  const load = async (name) => {
    const scan = JSON.parse(document.getElementById(`map-${name}`).textContent);
    const entries = Object.entries(scan.volumes);
    const volumes = await Promise.all(entries.map(([, planes]) => unpack(planes, scan.shape)));
    scan.name = name;
    scan.values = Object.fromEntries(entries.map(([key], index) => [key, volumes[index]]));
    return scan;
  };

  // --- Volumes for NiiVue ------------------------------------------------------------------------
  const nifti = (scan, values, { slope = 1 }) => {
    const buffer = new ArrayBuffer(352 + 2 * values.length);
    const header = new DataView(buffer);
    header.setInt32(0, 348, true);
    [3, ...scan.shape, 1, 1, 1, 1].forEach((n, i) => header.setInt16(40 + 2 * i, n, true));
    header.setInt16(70, 4, true); // int16
    header.setInt16(72, 16, true); // bits
    const sizes = [0, 1, 2].map((j) => Math.hypot(...[0, 1, 2].map((i) => scan.affine[i][j])));
    [1, ...sizes].forEach((size, i) => header.setFloat32(76 + 4 * i, size, true));
    header.setFloat32(108, 352, true); // offset of the values
    header.setFloat32(112, slope, true);
    header.setUint8(123, 2); // mm
    header.setInt16(254, 1, true); // sform: scanner
    scan.affine.slice(0, 3).flat().forEach((x, i) => header.setFloat32(280 + 4 * i, x, true));
    header.setUint32(344, 0x6e2b3100, false); // "n+1"
    new Int16Array(buffer, 352).set(values);
    return buffer;
  };

  // A drawn region that another drawing is compared with keeps its border in axial slices only.
  const border = (values, [width, height]) => {
    const edge = new Int16Array(values.length);
    const steps = [-1, 1, -width, width];
    values.forEach((label, at) => {
      const x = at % width;
      const y = Math.floor(at / width) % height;
      const rim = x === 0 || y === 0 || x === width - 1 || y === height - 1;
      if (label && (rim || steps.some((step) => values[at + step] !== label))) edge[at] = label;
    });
    return edge;
  };

  const colors = (scan) => {
    const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const all = [[0, 0, 0], ...scan.regions.map((region) => rgb(region.color))];
    return {
      R: all.map(([r]) => r),
      G: all.map(([, g]) => g),
      B: all.map(([, , b]) => b),
      A: all.map((_, index) => (index ? 255 : 0)),
      I: all.map((_, index) => index),
      labels: ["", ...scan.regions.map((region) => region.name)],
    };
  };

  const layers = (scan) => {
    const outside = -8191; // black, and never mistaken for a value
    const chi = scan.values.chi.map((value, at) => (scan.values.defined[at] ? value : outside));
    const drawn = scan.raters.map((rater, index) => {
      const values = scan.values[`rater-${rater}`];
      const shape = index ? border(values, scan.shape) : values;
      return { name: `rater-${rater}`, buffer: nifti(scan, shape, {}), labels: colors(scan) };
    });
    return [
      { name: "chi", buffer: nifti(scan, chi, { slope: scan.step_ppm }) },
      {
        name: "magnitude",
        buffer: nifti(scan, scan.values.magnitude, { slope: 100 / (scan.gray_levels - 1) }),
      },
      ...drawn,
    ];
  };

  // --- What is shown ------------------------------------------------------------------------------
  const base = () => root.querySelector('[name="base"]:checked').value;
  const windows = { chi: JSON.parse(root.dataset.window), magnitude: [0, 100] };
  const limits = { chi: [-0.5, 1, 0.01, "ppm", 2], magnitude: [0, 100, 1, "%", 0] };

  const showWindow = () => {
    const [low, high, step, unit, decimals] = limits[base()];
    ["low", "high"].forEach((name, index) => {
      const slider = field(name);
      Object.assign(slider, { min: low, max: high, step });
      slider.value = windows[base()][index];
      const text = `${Number(slider.value).toFixed(decimals).replace("-", "−")} ${unit}`;
      slider.setAttribute("aria-valuetext", text);
      part(`${name}-text`).textContent = text;
    });
  };

  const volume = (name) => viewer.volumes.find((item) => item.name === `${name}.nii`);

  const draw = () => {
    showWindow();
    if (!viewer || !shown) return;
    for (const name of ["chi", "magnitude"]) {
      [volume(name).cal_min, volume(name).cal_max] = windows[name];
    }
    volume("magnitude").opacity = base() === "magnitude" ? 1 : 0;
    const strength = Number(field("strength").value) / 100;
    for (const box of root.querySelectorAll('[name="rater"]')) {
      const layer = volume(`rater-${box.value}`);
      const full = layer && box.value !== shown.raters[0] ? Math.min(1, 2 * strength) : strength;
      if (layer) layer.opacity = box.checked ? full : 0;
    }
    viewer.updateGLVolume();
  };

  const signed = (value, decimals) => value.toFixed(decimals).replace("-", "−");

  // Whole voxels of the packed scan; null where the crosshair is outside it.
  const voxel = ({ vox }) => {
    const inside = vox.every((index, axis) => index >= 0 && index < shown.shape[axis]);
    return inside ? vox.slice(0, 3) : null;
  };

  const report = (location) => {
    if (!shown) return;
    const at = voxel(location);
    const [width, height] = shown.shape;
    const index = at && at[0] + width * (at[1] + height * at[2]);
    const [x, y, z] = location.mm;
    const side = (value, plus, minus) => `${Math.abs(value).toFixed(1)} ${value < 0 ? minus : plus}`;
    part("place").textContent = `${side(x, "R", "L")}, ${side(y, "A", "P")}, ${side(z, "S", "I")} mm`;
    const mapped = at && shown.values.defined[index];
    part("chi").textContent = mapped
      ? `${signed(shown.values.chi[index] * shown.step_ppm, 3)} ppm`
      : "not defined here";
    const gray = at ? shown.values.magnitude[index] / (shown.gray_levels - 1) : 0;
    part("magnitude").textContent = `${Math.round(100 * gray)} % of white`;
    for (const output of root.querySelectorAll("[data-rater]")) {
      const values = shown.values[`rater-${output.dataset.rater}`];
      const label = values && at ? values[index] : 0;
      output.textContent = values ? (label ? shown.regions[label - 1].name : "none") : "no labels";
    }
    Object.assign(root.dataset, { voxel: at ? at.join(" ") : "", mm: location.mm.slice(0, 3).join(" ") });
  };

  const goTo = (at) => {
    viewer.scene.crosshairPos = viewer.vox2frac(at);
    viewer.createOnLocationChange();
    viewer.drawScene();
  };

  // The voxel of a region that lies nearest to its centre.
  const middle = (number) => {
    const [width, height] = shown.shape;
    const found = [];
    for (const rater of shown.raters) {
      shown.values[`rater-${rater}`].forEach((label, at) => {
        if (label !== number) return;
        found.push([at % width, Math.floor(at / width) % height, Math.floor(at / width / height)]);
      });
      if (found.length) break;
    }
    const centre = [0, 1, 2].map((i) => found.reduce((sum, at) => sum + at[i], 0) / found.length);
    const far = (at) => Math.hypot(...at.map((n, i) => n - centre[i]));
    return found.reduce((best, at) => (far(at) < far(best) ? at : best));
  };

  const fillRegions = () => {
    const list = field("region");
    const before = list.value;
    const options = shown.regions.map((region, index) => new Option(region.name, index + 1));
    list.replaceChildren(new Option("choose a region", ""), ...options);
    const same = options.find((option) => option.text === before);
    list.value = same ? same.value : "";
    list.disabled = !options.length;
  };

  // --- Choosing a scan ----------------------------------------------------------------------------
  const start = async () => {
    const code = document.createElement("script");
    code.textContent = document.getElementById("niivue-code").textContent;
    document.head.append(code);
    const started = new window.niivue.Niivue({
      backColor: [0, 0, 0, 1],
      clipPlaneHotKey: "",
      crosshairColor: [0.95, 0.9, 0.25, 0.9],
      crosshairGap: 4,
      crosshairWidth: 0.4,
      dragAndDropEnabled: false,
      fontColor: [1, 1, 1, 1],
      fontMinPx: 14,
      isRadiologicalConvention: true,
      sagittalNoseLeft: true,
      loadingText: "",
      logLevel: "error",
      multiplanarShowRender: window.niivue.SHOW_RENDER.NEVER,
      viewModeHotKey: "",
    });
    started.onLocationChange = report;
    await started.attachToCanvas(canvas, false);
    started.setSliceType(started.sliceTypeMultiplanar);
    started.setRadiologicalConvention(true);
    return started;
  };

  // The pictures fill the width: side by side, or two by two on a phone.
  const fit = () => {
    if (!viewer || !shown || holder.hidden) return;
    const [x, y, z] = [0, 1, 2].map(
      (j) => shown.shape[j] * Math.hypot(...[0, 1, 2].map((i) => shown.affine[i][j])),
    );
    const narrow = holder.clientWidth < 600;
    const { GRID, ROW } = window.niivue.MULTIPLANAR_TYPE;
    const ratio = narrow ? (x + y) / (y + z) : (2 * x + y) / Math.max(y, z);
    holder.style.aspectRatio = String(ratio);
    viewer.setMultiplanarLayout(narrow ? GRID : ROW);
  };

  const say = (text) => { part("status").textContent = text; };

  const showPicture = (name, text) => {
    const source = document.querySelector(`#scan-${CSS.escape(name)} img.mosaic`);
    const picture = part("picture");
    picture.hidden = !source;
    holder.hidden = true;
    part("readout").hidden = true;
    if (source) Object.assign(picture, { src: source.src, alt: source.alt });
    say(text);
  };

  const display = async (scan) => {
    const former = viewer.volumes.length ? [...viewer.scene.crosshairPos] : null;
    while (viewer.volumes.length) viewer.removeVolume(viewer.volumes[0]);
    for (const { name, buffer, labels } of layers(scan)) {
      const image = await window.niivue.NVImage.new(buffer, `${name}.nii`, "gray");
      if (labels) image.setColormapLabel(labels);
      viewer.addVolume(image);
    }
    shown = scan;
    fit();
    fillRegions();
    draw();
    const first = scan.regions.length ? middle(1) : scan.shape.map((n) => Math.floor(n / 2));
    if (former) viewer.scene.crosshairPos = former;
    goTo(former ? viewer.frac2vox(viewer.scene.crosshairPos) : first);
  };

  let turn = Promise.resolve();
  const choose = (name) => {
    turn = turn.then(() => open(name)).catch((error) => {
      showPicture(name, `The viewer could not show ${name}: ${error.message}`);
    });
    return turn;
  };

  const open = async (name) => {
    choice.value = name;
    if (!name) return;
    delete root.dataset.shown;
    const option = choice.selectedOptions[0];
    part("link").href = option.dataset.link;
    part("link").textContent = `Full map of ${name}`;
    part("link").hidden = false;
    const carried = document.getElementById(`map-${name}`);
    if (!hasWebGL) {
      showPicture(name, "This browser draws no WebGL; the quality mosaic is shown instead.");
    } else if (!carried) {
      showPicture(name, `The maps of ${name} are left out to keep this file small.`);
    } else {
      say(`Unpacking ${name} …`);
      part("picture").hidden = true;
      holder.hidden = false;
      part("readout").hidden = false;
      const scan = await load(name);
      if (!viewer) viewer = await start();
      await display(scan);
      const block = scan.block.some((n) => n > 1)
        ? ` A value is the mean of ${scan.block.join(" × ")} voxels.`
        : "";
      say(`${name}: values in steps of ${scan.step_ppm} ppm.${block}`);
    }
    root.dataset.shown = name;
  };

  const step = (by) => {
    const at = names.indexOf(choice.value);
    const next = at < 0 ? 0 : (at + by + names.length) % names.length;
    choose(names[next]);
  };

  choice.addEventListener("change", () => choose(choice.value));
  root.addEventListener("click", (event) => {
    if (event.target.dataset.by) step(Number(event.target.dataset.by));
  });
  root.addEventListener("change", (event) => {
    if (["base", "rater"].includes(event.target.name)) draw();
    if (event.target.name === "region" && event.target.value) goTo(middle(Number(event.target.value)));
  });
  root.addEventListener("input", (event) => {
    const { name, value } = event.target;
    if (name === "low" || name === "high") {
      const [low, high] = windows[base()];
      const gap = limits[base()][2];
      windows[base()] = name === "low"
        ? [Math.min(Number(value), high - gap), high]
        : [low, Math.max(Number(value), low + gap)];
    }
    if (["low", "high", "strength"].includes(name)) draw();
  });

  // The page scrolls over the pictures until they are chosen by a click or the Tab key.
  holder.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) event.stopPropagation();
  }, { capture: true, passive: true });
  const moves = {
    ArrowLeft: [1, 0, 0], ArrowRight: [-1, 0, 0], // the patient's right is at the viewer's left
    ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0],
    PageUp: [0, 0, 1], PageDown: [0, 0, -1],
  };
  for (const kind of ["keydown", "keyup"]) {
    holder.addEventListener(kind, (event) => {
      event.stopPropagation(); // NiiVue's own keys
      const move = moves[event.key];
      if (!move || !viewer || kind === "keyup") return;
      event.preventDefault();
      viewer.moveCrosshairInVox(...move);
    }, { capture: true });
  }
  canvas.addEventListener("pointerdown", () => canvas.focus({ preventScroll: true }));

  // Anything with data-map="<scan>" elsewhere in the page opens that scan.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-map]");
    if (!opener || !names.includes(opener.dataset.map)) return;
    choose(opener.dataset.map);
    root.scrollIntoView();
    choice.focus({ preventScroll: true });
  });
  addEventListener("resize", fit);
  showWindow();
  root.hidden = false;
})();
