// Brain maps: three slices and the surface of the cortex, thresholded as the reader chooses.
"use strict";

// From the threshold to the largest value; lighter is more, so that the order is seen without hue.
const WARM = [[176, 58, 8], [240, 150, 30], [255, 240, 170]];
const COOL = [[12, 84, 170], [80, 175, 235], [215, 243, 255]];

function ramp(colours, share) {
  const place = Math.min(Math.max(share, 0), 1) * (colours.length - 1);
  const first = Math.min(Math.floor(place), colours.length - 2);
  return [0, 1, 2].map(
    (i) => colours[first][i] + (place - first) * (colours[first + 1][i] - colours[first][i]),
  );
}

// Invert the affine of a volume (row by row, 16 numbers): millimetres to voxels.
function inverted(affine) {
  const [a, b, c, x, d, e, f, y, g, h, i, z] = affine;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const m = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g,
    c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d].map((each) => each / det);
  return (mm) => [0, 1, 2].map((row) =>
    [0, 1, 2].reduce((sum, k) => sum + m[3 * row + k] * (mm[k] - [x, y, z][k]), 0));
}

class Volume {
  constructor(header, values, rates) {
    Object.assign(this, header, { values, rates, toVoxel: inverted(header.affine) });
  }

  // Number of the voxel at a point, -1 outside.
  at(mm) {
    const [i, j, k] = this.toVoxel(mm).map(Math.round);
    const [nx, ny, nz] = this.shape;
    const inside = i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz;
    return inside ? i + nx * (j + ny * k) : -1;
  }

  point(voxel) {
    const [nx, ny] = this.shape;
    const ijk = [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / nx / ny)];
    return [0, 1, 2].map((row) =>
      this.affine[4 * row + 3] + ijk.reduce((sum, n, k) => sum + this.affine[4 * row + k] * n, 0));
  }
}

// One hemisphere seen along x: which vertex each pixel shows, and how the light falls there.
function project(mesh, faces, camera, width, height) {
  const n = mesh.length / 3;
  const across = new Float32Array(n), up = new Float32Array(n), near = new Float32Array(n);
  for (let v = 0; v < n; v++) {
    near[v] = camera * mesh[v];
    across[v] = camera * mesh[n + v];
    up[v] = -mesh[2 * n + v];
  }
  const range = (values) => values.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)],
    [Infinity, -Infinity]);
  const [left, right] = range(across), [top, bottom] = range(up);
  const scale = 0.96 * Math.min(width / (right - left), height / (bottom - top));
  for (let v = 0; v < n; v++) {
    across[v] = (across[v] - (left + right) / 2) * scale + width / 2;
    up[v] = (up[v] - (top + bottom) / 2) * scale + height / 2;
    near[v] *= scale;
  }
  const vertex = new Int32Array(width * height).fill(-1);
  const light = new Float32Array(width * height);
  const depth = new Float32Array(width * height).fill(-Infinity);
  const m = faces.length / 3;
  for (let f = 0; f < m; f++) {
    const a = faces[f], b = faces[m + f], c = faces[2 * m + f];
    const [ux, uy, uz] = [across[b] - across[a], up[b] - up[a], near[b] - near[a]];
    const [vx, vy, vz] = [across[c] - across[a], up[c] - up[a], near[c] - near[a]];
    const area = ux * vy - uy * vx;
    if (Math.abs(area) < 1e-6) continue;
    const lit = Math.abs(area) / Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, area);
    const x0 = Math.max(0, Math.floor(Math.min(across[a], across[b], across[c])));
    const x1 = Math.min(width - 1, Math.ceil(Math.max(across[a], across[b], across[c])));
    const y0 = Math.max(0, Math.floor(Math.min(up[a], up[b], up[c])));
    const y1 = Math.min(height - 1, Math.ceil(Math.max(up[a], up[b], up[c])));
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const px = x - across[a], py = y - up[a];
        const wb = (px * vy - py * vx) / area, wc = (ux * py - uy * px) / area, wa = 1 - wb - wc;
        if (wa < -1e-3 || wb < -1e-3 || wc < -1e-3) continue;
        const z = near[a] + wb * uz + wc * vz, pixel = x + width * y;
        if (z <= depth[pixel]) continue;
        depth[pixel] = z;
        light[pixel] = 0.55 + 0.45 * lit;
        vertex[pixel] = wa > wb ? (wa > wc ? a : c) : wb > wc ? b : c;
      }
    }
  }
  return { vertex, light };
}

async function readBrain(address) {
  const packed = await stim2bold.load(address);
  const brain = { faces: await stim2bold.unpack(packed.faces, Uint16Array) };
  const { template } = packed;
  brain.template = new Volume(template, await stim2bold.unpack(template.values, Uint8Array));
  for (const side of ["left", "right"]) {
    brain[side] = { depth: await stim2bold.unpack(packed[side].depth, Uint8Array) };
    for (const kind of ["white", "pial", "inflated", "flat"]) {
      brain[side][kind] = await stim2bold.unpack(packed[side][kind], Int16Array);
    }
    brain[side].flatFaces = await stim2bold.unpack(packed[side].flat_faces, Uint16Array);
  }
  return brain;
}

async function readMap(address) {
  const packed = await stim2bold.load(address);
  const rates = packed.q && (await stim2bold.unpack(packed.q, Uint8Array));
  return new Volume(packed, await stim2bold.unpack(packed.values, Int16Array), rates);
}

stim2bold.start("[data-view=maps]", async (element, settings) => {
  const control = (name) => element.querySelector(`[data-control=${name}]`);
  const canvases = [...element.querySelectorAll("canvas[data-axis]")];
  const panels = [...element.querySelectorAll("canvas[data-side]")];
  const brain = await readBrain(settings.brain);
  const { template } = brain;
  let map, colours, cursor = [0, -20, 6];

  // A colour for each voxel of the map, null where it is not shown.
  function recolour() {
    const threshold = Number(control("threshold").value);
    const sign = control("sign").value;
    const certain = control("certain").checked && map.rates;
    const warm = [], cool = [];
    for (let i = 0; i < 256; i++) { warm.push(ramp(WARM, i / 255)); cool.push(ramp(COOL, i / 255)); }
    const span = Math.max(map.limit - threshold, 1e-6);
    colours = new Array(map.values.length).fill(null);
    let shown = 0;
    for (let v = 0; v < colours.length; v++) {
      const value = map.values[v] / map.scale;
      if (value === 0 || Math.abs(value) < threshold) continue;
      if ((sign === "positive" && value < 0) || (sign === "negative" && value > 0)) continue;
      if (certain && map.rates[v] >= 12.5) continue;
      const step = Math.min(255, Math.round((255 * (Math.abs(value) - threshold)) / span));
      colours[v] = (value > 0 ? warm : cool)[step];
      shown += 1;
    }
    control("threshold-value").textContent = threshold.toFixed(2);
    control("shown").textContent = `${shown} voxels shown`;
    for (const [name, text] of [["low", threshold], ["high", map.limit]]) {
      element.querySelectorAll(`[data-scale=${name}]`).forEach((place) => {
        place.textContent = text.toFixed(2);
      });
    }
    element.querySelector("[data-scale=quantity]").textContent = map.quantity;
    draw();
  }

  function drawSlice(canvas) {
    const axis = Number(canvas.dataset.axis);
    const [across, up] = [0, 1, 2].filter((other) => other !== axis);
    const [width, height] = [template.shape[across], template.shape[up]];
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    const fixed = template.toVoxel(cursor).map(Math.round);
    const ijk = [...fixed];
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        ijk[across] = column;
        ijk[up] = height - 1 - row;
        const voxel = ijk[0] + template.shape[0] * (ijk[1] + template.shape[1] * ijk[2]);
        const colour = colours[map.at(template.point(voxel))];
        const grey = 0.85 * template.values[voxel];
        picture.data.set(colour ? [...colour, 255] : [grey, grey, grey, 255],
          4 * (column + width * row));
      }
    }
    context.putImageData(picture, 0, 0);
    context.strokeStyle = "#7fd17f";
    context.lineWidth = 0.6;
    context.beginPath();
    context.moveTo(fixed[across] + 0.5, 0);
    context.lineTo(fixed[across] + 0.5, height);
    context.moveTo(0, height - fixed[up] - 0.5);
    context.lineTo(width, height - fixed[up] - 0.5);
    context.stroke();
  }

  // The voxel that each vertex shows: the first of the map's between white matter and pia.
  function voxelsOf(side) {
    const { white, pial } = brain[side];
    const n = white.length / 3;
    map.surface ??= {};
    return (map.surface[side] ??= Int32Array.from({ length: n }, (_, v) => {
      for (const share of [0.5, 0.3, 0.7, 0.1, 0.9]) {
        const voxel = map.at([0, 1, 2].map((k) =>
          (white[k * n + v] + share * (pial[k * n + v] - white[k * n + v])) / 10));
        if (voxel >= 0 && map.values[voxel] !== 0) return voxel;
      }
      return -1;
    }));
  }

  function drawSurface(canvas) {
    const { side, camera } = canvas.dataset;
    const shape = control("surface").value;
    const flat = shape === "flat";
    // What is flat has no other side.
    const figure = canvas.parentElement;
    figure.hidden = flat && (side === "left") !== (Number(camera) < 0);
    if (figure.hidden) return;
    const words = flat ? `${side} hemisphere, cut and flattened` : canvas.dataset.words;
    figure.lastElementChild.textContent = words;
    canvas.setAttribute("aria-label", `${canvas.dataset.map} on the ${words}`);
    const { width, height } = canvas;
    canvas.seen ??= {};
    const faces = flat ? brain[side].flatFaces : brain.faces;
    const seen = (canvas.seen[shape] ??=
      project(brain[side][shape], faces, Number(camera), width, height));
    const voxels = voxelsOf(side), { depth } = brain[side];
    const context = canvas.getContext("2d");
    const picture = context.createImageData(width, height);
    for (let pixel = 0; pixel < seen.vertex.length; pixel++) {
      const v = seen.vertex[pixel];
      if (v < 0) continue;
      const grey = 205 - 0.4 * depth[v];
      const colour = (voxels[v] >= 0 && colours[voxels[v]]) || [grey, grey, grey];
      const lit = seen.light[pixel];
      picture.data.set([colour[0] * lit, colour[1] * lit, colour[2] * lit, 255], 4 * pixel);
    }
    context.putImageData(picture, 0, 0);
  }

  function drawSlices() {
    canvases.forEach(drawSlice);
    const voxel = map.at(cursor);
    const value = voxel < 0 ? 0 : map.values[voxel] / map.scale;
    const rate = voxel >= 0 && map.rates ? `, q = ${(map.rates[voxel] / 250).toFixed(3)}` : "";
    const place = `x ${cursor[0].toFixed(0)}, y ${cursor[1].toFixed(0)}, z ${cursor[2].toFixed(0)} mm`;
    control("readout").textContent =
      value === 0 ? `${place}: outside` : `${place}: ${map.quantity} = ${value.toFixed(3)}${rate}`;
  }

  function draw() {
    drawSlices();
    panels.forEach(drawSurface);
  }

  function moveTo(mm) {
    const low = template.point(0), high = template.point(template.values.length - 1);
    cursor = mm.map((x, k) => Math.min(Math.max(x, low[k]), high[k]));
    ["x", "y", "z"].forEach((name, k) => { control(name).value = cursor[k]; });
    drawSlices();
  }

  function peak() {
    let best = -1;
    for (let v = 0; v < colours.length; v++) {
      if (colours[v] && (best < 0 || Math.abs(map.values[v]) > Math.abs(map.values[best]))) best = v;
    }
    if (best >= 0) moveTo(map.point(best));
  }

  async function choose() {
    const chosen = settings.maps[control("map").value];
    const first = map === undefined;
    map = await readMap(chosen.address);
    // Below half of the largest values, most of what is shown is noise.
    if (first) control("threshold").value = (map.limit / 2).toFixed(2);
    control("certain").disabled = !map.rates;
    control("downloads").replaceChildren(...chosen.downloads.flatMap(({ address, words }) =>
      [make("a", { href: address, download: "" }, words), " "]));
    recolour();
  }

  control("map").addEventListener("change", choose);
  for (const name of ["threshold", "sign", "certain"]) {
    control(name).addEventListener("input", recolour);
  }
  control("surface").addEventListener("change", () => panels.forEach(drawSurface));
  control("peak").addEventListener("click", peak);
  ["x", "y", "z"].forEach((name, k) => control(name).addEventListener("input", () => {
    const next = [...cursor];
    next[k] = Number(control(name).value);
    moveTo(next);
  }));
  for (const canvas of canvases) {
    canvas.addEventListener("click", (event) => {
      const axis = Number(canvas.dataset.axis);
      const [across, up] = [0, 1, 2].filter((other) => other !== axis);
      const ijk = template.toVoxel(cursor).map(Math.round);
      ijk[across] = Math.floor((event.offsetX / canvas.clientWidth) * canvas.width);
      ijk[up] = canvas.height - 1 - Math.floor((event.offsetY / canvas.clientHeight) * canvas.height);
      moveTo(template.point(ijk[0] + template.shape[0] * (ijk[1] + template.shape[1] * ijk[2])));
    });
  }
  for (const canvas of panels) {
    canvas.addEventListener("click", (event) => {
      const x = Math.floor((event.offsetX / canvas.clientWidth) * canvas.width);
      const y = Math.floor((event.offsetY / canvas.clientHeight) * canvas.height);
      const v = canvas.seen[control("surface").value].vertex[x + canvas.width * y];
      const { pial } = brain[canvas.dataset.side];
      if (v >= 0) moveTo([0, 1, 2].map((k) => pial[(k * pial.length) / 3 + v] / 10));
    });
  }
  await choose();
  peak();
});
