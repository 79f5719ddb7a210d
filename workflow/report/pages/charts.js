// Lines over film time or training steps, as SVG that follows the page's colours.
"use strict";

const MARGIN = { left: 52, right: 12, top: 10, bottom: 34 };

// Round numbers that divide a range into about n parts, at least `least` apart.
function ticks(low, high, n, least = 0) {
  const raw = Math.max((high - low || 1) / n, least), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
  const found = [];
  for (let x = Math.ceil(low / step) * step; x <= high + step * 1e-6; x += step) found.push(x);
  return found.map((x) => Number(x.toPrecision(6)));
}

// Draw series of [x, y] points; returns where a horizontal value lies in the drawing.
// Marks are stretches of x, those that are high at the upper edge, the others at the lower.
function drawLines(figure, { series, bands = [], marks = [], x, y, zero = false, whole = false, title }) {
  const width = Math.max(320, figure.clientWidth), height = 260;
  const points = series.flatMap((each) => each.points);
  const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
  if (zero) ys.push(0);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const pad = 0.04 * (Math.max(...ys) - Math.min(...ys) || 1);
  const [y0, y1] = [Math.min(...ys) - pad, Math.max(...ys) + pad];
  const across = (value) =>
    MARGIN.left + ((value - x0) / (x1 - x0 || 1)) * (width - MARGIN.left - MARGIN.right);
  const up = (value) =>
    height - MARGIN.bottom - ((value - y0) / (y1 - y0)) * (height - MARGIN.top - MARGIN.bottom);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  for (const { start, end, kind, label } of bands) {
    const [left, right] = [Math.max(start, x0), Math.min(end, x1)];
    if (right <= left) continue;
    svg.append(make("rect", { x: across(left), y: MARGIN.top, width: across(right) - across(left),
      height: height - MARGIN.top - MARGIN.bottom, class: `band band${kind}` }));
    if (across(right) - across(left) > 7 * label.length) {
      svg.append(make("text", { x: across(left) + 3, y: MARGIN.top + 11, class: "small" }, label));
    }
  }
  for (const value of ticks(x0, x1, width / 90, whole ? 1 : 0)) {
    svg.append(make("line", { x1: across(value), x2: across(value), y1: height - MARGIN.bottom,
      y2: height - MARGIN.bottom + 4, class: "axis" }));
    svg.append(make("text", { x: across(value), y: height - 18, class: "small", "text-anchor": "middle" },
      String(value)));
  }
  for (const value of ticks(y0, y1, 5)) {
    svg.append(make("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: up(value), y2: up(value),
      class: "grid" }));
    svg.append(make("text", { x: MARGIN.left - 5, y: up(value) + 4, class: "small", "text-anchor": "end" },
      String(value)));
  }
  svg.append(make("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: height - 3, class: "small",
    "text-anchor": "middle" }, x));
  svg.append(make("text", { transform: `translate(11 ${height / 2}) rotate(-90)`, class: "small",
    "text-anchor": "middle" }, y));
  for (const { start, end, high } of marks) {
    svg.append(make("rect", { x: across(start), y: high ? MARGIN.top - 8 : height - MARGIN.bottom - 6,
      width: across(end) - across(start), height: 6, class: `mark ${high ? "high" : "low"}` }));
  }
  series.forEach(({ points: line, breaks = [], style }) => {
    const path = line.map(([px, py], i) =>
      `${i && !breaks.includes(i) ? "L" : "M"}${across(px).toFixed(1)} ${up(py).toFixed(1)}`).join("");
    svg.append(make("path", { d: path, class: `line line${style}` }));
    // What is counted has a value at each whole number, and none between them.
    if (line.length === 1 || (whole && style === 0)) {
      line.forEach(([px, py]) => {
        svg.append(make("circle", { cx: across(px), cy: up(py), r: 2.5, class: `dot line${style}` }));
      });
    }
  });
  figure.replaceChildren(svg);
  return { svg, across, height, range: [x0, x1] };
}

function legend(place, series) {
  place.replaceChildren(...series.map(({ name, style }) => {
    const sample = make("svg", { viewBox: "0 0 30 10", width: 30, height: 10, "aria-hidden": "true" },
      make("line", { x1: 0, x2: 30, y1: 5, y2: 5, class: `line line${style}` }));
    return make("span", { class: "key" }, sample, ` ${name}`);
  }));
}

stim2bold.start("[data-view=curves]", (element, settings) => {
  const figure = element.querySelector("[data-part=figure]");
  const series = settings.series.map((each, i) => ({ ...each, style: i }));
  if (series.length > 1) legend(element.querySelector("[data-part=legend]"), series);
  const draw = () => drawLines(figure, { ...settings, series });
  draw();
  new ResizeObserver(draw).observe(element);
});

// Show a still in an element: one tile of a sheet.
function showStill(stills, place, time) {
  const number = Math.max(0, stills.times.findLastIndex((each) => each <= time));
  const rows = Math.ceil(stills.times.length / stills.columns);
  const share = (n, of) => (of > 1 ? `${(100 * n) / (of - 1)}%` : "0%");
  place.style.backgroundImage = `url("${stills.address}")`;
  place.style.backgroundSize = `${100 * stills.columns}% ${100 * rows}%`;
  place.style.backgroundPosition = `${share(number % stills.columns, stills.columns)} ${share(
    Math.floor(number / stills.columns), rows)}`;
}

stim2bold.start("[data-view=timeline]", async (element, address) => {
  const part = (name) => element.querySelector(`[data-part=${name}]`);
  const settings = { ...address, ...(await stim2bold.load(address.data)) };
  const { stills } = settings;
  if (!stills) ["still", "stills"].forEach((name) => part(name).remove());
  let drawing, region, line, marks;
  let kinds = [...new Set(settings.blocks.map(({ label }) => label))];

  function point() {
    const time = Number(part("seek").value);
    const row = settings.times.reduce((best, each, i) =>
      Math.abs(each - time) < Math.abs(settings.times[best] - time) ? i : best, 0);
    const x = drawing.across(time);
    for (const key of ["x1", "x2"]) line.setAttribute(key, x);
    drawing.svg.append(line);
    const values = Object.entries(region.series).map(([name, series]) =>
      `${settings.names[name] ?? name} ${series[row].toFixed(2)}`);
    const block = settings.blocks.find(({ start, end }) => start <= time && time < end);
    const words = settings.words.filter(({ start, end }) => start < time + 2 && end > time - 2);
    part("readout").textContent = `${time.toFixed(1)} s${block ? `, ${block.label}` : ""}: ${values.join(", ")}`;
    part("words").replaceChildren(...words.flatMap(({ word, start, end }) =>
      [start <= time && time < end ? make("strong", {}, word) : word, " "]));
    part("labels").replaceChildren(...settings.captions.flatMap(({ origin, rows, duration }) => {
      const [, decoded, present] = rows.find(([onset]) => onset <= time && time < onset + duration) ?? [];
      return decoded === undefined ? [] : [make("dt", {}, `Decoded from ${origin}`),
        make("dd", {}, `${decoded || "nothing"} (there: ${present || "nothing"})`)];
    }));
    if (stills) showStill(stills, part("still"), time);
    part("seek").setAttribute("aria-valuetext", `${time.toFixed(1)} s`);
  }

  // Offer the models of the region that have moments; the one chosen stays.
  function offer() {
    region = settings.regions[Number(part("region").value)];
    const models = Object.keys(region.moments), before = part("model").value;
    part("model").replaceChildren(...models.map((name) =>
      make("option", { value: name }, settings.names[name] ?? name)));
    if (models.includes(before)) part("model").value = before;
    part("moments").hidden = models.length === 0;
  }

  // A button takes the cursor to the middle of its moment, and what is there is read out.
  function list(place, moments) {
    place.replaceChildren(...moments.map(([start, end, score]) => {
      const button = make("button", { type: "button" },
        `${start.toFixed(1)} to ${end.toFixed(1)} s (${score.toFixed(2)})`);
      button.addEventListener("click", () => {
        part("readout").setAttribute("aria-live", "polite");
        part("seek").value = (start + end) / 2;
        point();
      });
      return make("li", {}, button);
    }));
  }

  function choose() {
    const { best, worst } = region.moments[part("model").value] ?? { best: [], worst: [] };
    list(part("best"), best);
    list(part("worst"), worst);
    marks = [best, worst].flatMap((moments, low) =>
      moments.map(([start, end]) => ({ start, end, high: !low })));
    draw();
  }

  function draw() {
    const breaks = settings.folds.flatMap((fold, i) => (i && fold !== settings.folds[i - 1] ? [i] : []));
    const series = Object.entries(region.series).map(([name, values], i) => ({
      name: settings.names[name] ?? name, style: i, breaks,
      points: values.map((value, row) => [settings.times[row], value]),
    }));
    const bands = settings.blocks.map((block) => ({ ...block, kind: kinds.indexOf(block.label) % 4 }));
    drawing = drawLines(part("figure"), { series, bands, marks, x: "film time (s)", y: "standard deviations",
      title: `Measured and predicted BOLD of ${region.name} over film time` });
    line = make("line", { y1: MARGIN.top, y2: drawing.height - MARGIN.bottom, class: "cursor" });
    legend(part("legend"), series);
    part("scores").textContent = `${region.voxels} voxels; ` +
      region.scores.map(({ model, r }) => `${settings.names[model] ?? model} r = ${r.toFixed(3)}`).join(", ");
    const [first, last] = drawing.range;
    Object.assign(part("seek"), { min: first, max: last });
    if (stills) {
      const n = Math.max(4, Math.floor(part("figure").clientWidth / 80));
      part("stills").replaceChildren(...Array.from({ length: n }, (_, i) => {
        const tile = make("div");
        showStill(stills, tile, first + ((i + 0.5) / n) * (last - first));
        return tile;
      }));
    }
    point();
  }

  part("region").addEventListener("change", () => { offer(); choose(); });
  part("model").addEventListener("change", choose);
  // Who drags need not hear every step.
  const quietly = () => { part("readout").setAttribute("aria-live", "off"); point(); };
  part("seek").addEventListener("input", quietly);
  part("figure").addEventListener("pointermove", (event) => {
    const box = part("figure").getBoundingClientRect();
    const [first, last] = drawing.range;
    const scale = (drawing.across(last) - drawing.across(first)) / (last - first);
    const x = ((event.clientX - box.left) / box.width) * drawing.svg.viewBox.baseVal.width;
    part("seek").value = Math.min(last, Math.max(first, first + (x - MARGIN.left) / scale));
    quietly();
  });
  offer();
  choose();
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) { width = element.clientWidth; draw(); }
  }).observe(element);
});

// Courses of latents, with stills of the moments that drive them.
stim2bold.start("[data-view=course]", (element, { blocks, stills, charts }) => {
  const kinds = [...new Set(blocks.map(({ label }) => label))];
  const bands = blocks.map((block) => ({ ...block, kind: kinds.indexOf(block.label) % 4 }));
  const figures = element.querySelectorAll("[data-part=figure]");
  const draw = () => charts.forEach(({ title, series, marks }, i) => drawLines(figures[i], { bands, marks, title,
    series: series.map((each) => ({ ...each, style: 0 })), zero: true,
    x: "film time (s)", y: "standard deviations" }));
  draw();
  element.querySelectorAll("[data-time]").forEach((place) =>
    showStill(stills, place, Number(place.dataset.time)));
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth !== width) { width = element.clientWidth; draw(); }
  }).observe(element);
});
