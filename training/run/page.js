/* Draws what `training.run.page` put into the element "data". */

const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [1000, 230, 52, 22];
const COLORS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const ROW_PX = 13;

/** An element with attributes and children; strings become texts, never markup. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function draw(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Round numbers between two values, about five of them. */
function ticks(low, high, logarithmic) {
  const found = [];
  if (logarithmic) {
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
      for (const times of high / low < 1000 ? [1, 2, 5] : [1]) found.push(times * 10 ** power);
  } else {
    const rough = (high - low) / 5 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((times) => times * power >= rough);
    for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(value);
  }
  return found.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

const number = (value) => Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });

function drawChart({ title, lines, logarithmic }) {
  const points = lines.flatMap((line) => line.points);
  const steps = points.map(([step]) => step);
  const values = points.map(([, value]) => value).filter((value) => !logarithmic || value > 0);
  const last = Math.max(...steps);
  const low = logarithmic ? Math.min(...values) : 0;
  const high = Math.max(...values) || 1;
  const scale = logarithmic ? Math.log : (value) => value;
  const x = (step) => LEFT + ((WIDTH - LEFT) * step) / (last || 1);
  const y = (value) => {
    const share = (scale(Math.max(value, low)) - scale(low)) / (scale(high) - scale(low) || 1);
    return 6 + (HEIGHT - BOTTOM - 6) * (1 - share);
  };
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title });
  for (const value of ticks(low, high, logarithmic)) {
    svg.append(draw("line", { class: "grid", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }));
    svg.append(draw("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value)));
  }
  for (const step of ticks(0, last, false))
    svg.append(draw("text", { x: x(step), y: HEIGHT - 4, "text-anchor": "middle" }, number(step)));
  lines.forEach((line, place) => {
    const d = line.points.map(([step, value], n) => `${n ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`);
    const color = `var(${COLORS[place % COLORS.length]})`;
    svg.append(draw("path", { d: d.join(""), stroke: color }));
    if (line.points.length < 60)
      for (const [step, value] of line.points)
        svg.append(draw("circle", { cx: x(step), cy: y(value), r: 2.4, fill: color }));
  });
  const legend = make("div", { class: "legend" });
  const cursor = draw("line", { class: "cursor", y1: 0, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  svg.append(cursor);
  const tell = (at) => {
    legend.replaceChildren(
      ...lines.map((line, place) => {
        const chosen = at === null ? line.points.at(-1) : nearest(line.points, at);
        const mark = make("i", { style: `background: var(${COLORS[place % COLORS.length]})` });
        return make("span", {}, mark, `${line.label} ${number(chosen[1])}`);
      }),
      make("span", {}, at === null ? "at the end" : `at step ${number(at)}`),
    );
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = (((event.clientX - box.left) / box.width) * WIDTH - LEFT) / (WIDTH - LEFT);
    const step = Math.round(Math.min(1, Math.max(0, at)) * last);
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(step));
    cursor.setAttribute("visibility", "visible");
    tell(step);
  });
  svg.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    tell(null);
  });
  tell(null);
  return make("div", { class: "chart" }, make("h3", {}, `${title}, over the steps`), svg, legend);
}

const nearest = (points, at) => points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));

/** Levels, row after row of (columns, rows), as a picture in one color: 255 is opaque. */
function paint(canvas, levels, columns, rows, colorName, upwards) {
  const bytes = Uint8Array.from(atob(levels), (character) => character.charCodeAt(0));
  const color = getComputedStyle(document.documentElement).getPropertyValue(colorName).trim();
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  canvas.width = columns;
  canvas.height = rows;
  const image = new ImageData(columns, rows);
  for (let column = 0; column < columns; column += 1)
    for (let row = 0; row < rows; row += 1) {
      const place = ((upwards ? rows - 1 - row : row) * columns + column) * 4;
      image.data.set([red, green, blue, bytes[column * rows + row]], place);
    }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const visible = (text) => text.replaceAll(" ", "␣");
const shown = (symbol) => ({ " ": "␣", "<blank>": "blank", "": "∅" })[symbol] ?? symbol;

function drawExample(one) {
  const rows = one.symbols.length;
  const mel = make("canvas");
  const probs = make("canvas", { role: "img", "aria-label": "posteriorgram" });
  const heads = [make("div", { class: "head" }), make("div", { class: "head" })];
  const names = make("div", { class: "rows", style: `height: ${rows * ROW_PX}px` });
  names.append(...one.symbols.map((symbol) => make("span", {}, shown(symbol))));
  const audio = make("audio", { controls: "", preload: "metadata", src: one.sound });
  const slider = make("input", { type: "range", min: 0, max: one.steps.length - 1, value: one.steps.length - 1 });
  const epoch = make("output");
  const heard = make("p", { class: "heard" });
  const show = () => {
    const step = one.steps[slider.value];
    epoch.value = `epoch ${step.epoch}`;
    heard.textContent = step.heard || "(nothing)";
    paint(mel, one.mel.levels, one.mel.columns, one.mel.rows, "--ink", true);
    paint(probs, step.levels, one.columns, rows, "--c1", false);
  };
  const seconds = one.mel.columns * one.hop_s;
  const follow = () => {
    const share = Math.min(1, audio.currentTime / seconds);
    for (const head of heads) head.style.left = `${100 * share}%`;
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
  audio.addEventListener("seeked", follow);
  slider.addEventListener("input", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
  const axis = [0, 0.25, 0.5, 0.75, 1].map((share) => make("span", {}, `${(share * seconds).toFixed(1)} s`));
  return make(
    "article", { class: "example" },
    make("div", { class: "said" }, one.said), make("div", { class: "where" }, one.where), heard,
    make("div", { class: "controls" }, make("label", {}, epoch, slider), audio),
    make(
      "div", { class: "picture" },
      make("span"), make("div", { class: "frames mel" }, mel, heads[0]),
      names, make("div", { class: "frames", style: `height: ${rows * ROW_PX}px` }, probs, heads[1]),
      make("div", { class: "axis" }, ...axis),
    ),
  );
}

/** Neighbouring pairs of one kind together: [kind, said, heard]. */
function runs(pairs) {
  const found = [];
  for (const [said, heard] of pairs) {
    const kind = said === heard ? "same" : !said ? "ins" : !heard ? "del" : "swap";
    if (found.at(-1)?.[0] === kind) {
      found.at(-1)[1] += said;
      found.at(-1)[2] += heard;
    } else found.push([kind, said, heard]);
  }
  return found;
}

function drawUtterance(one) {
  const diff = make("div", { class: "diff" });
  for (const [kind, said, heard] of runs(one.pairs)) {
    if (kind === "same") diff.append(said);
    if (kind === "del" || kind === "swap") diff.append(make("del", {}, visible(said)));
    if (kind === "ins" || kind === "swap") diff.append(make("ins", {}, visible(heard)));
  }
  return make(
    "article", { class: "card" },
    make("span", { class: "rate" }, `${(100 * one.rate).toFixed(1)} %`),
    make("div", { class: "where" }, one.where), diff,
    make("audio", { controls: "", preload: "metadata", src: one.sound }),
  );
}

function drawConfusions({ symbols, counts, mistakes }) {
  const matrix = document.querySelector(".matrix");
  matrix.append(make("tr", {}, make("th"), ...symbols.map((symbol) => make("th", {}, shown(symbol)))));
  symbols.forEach((said, row) => {
    const all = counts[row].reduce((sum, count) => sum + count, 0) || 1;
    const cells = counts[row].map((count, column) => {
      const right = row === column;
      const share = right ? 0.25 * Math.sign(count) : Math.sqrt(Math.min(1, (4 * count) / all));
      const color = `color-mix(in srgb, var(${right ? "--accent" : "--bad"}) ${Math.round(100 * share)}%, transparent)`;
      const title = `“${shown(said)}” heard as “${shown(symbols[column])}”: ${count} of ${all}`;
      return make("td", { style: `background: ${color}`, title });
    });
    matrix.append(make("tr", {}, make("th", {}, shown(said)), ...cells));
  });
  const table = document.querySelector(".mistakes");
  table.append(make("tr", {}, ...["said → heard", "times", "of"].map((word) => make("th", {}, word))));
  for (const [said, heard, count, all] of mistakes) {
    const pair = `${shown(said)} → ${shown(heard)}`;
    table.append(make("tr", {}, ...[pair, count, said ? all : ""].map((word) => make("td", {}, String(word)))));
  }
}

function fill(id, items, drawing) {
  document.querySelector(`#${id} .charts, #${id} .list`).append(...items.map(drawing));
  document.getElementById(id).hidden = items.length === 0;
}

document.title = `${data.name}: training run`;
document.getElementById("name").textContent = data.name;
for (const [word, value] of data.facts)
  document
    .getElementById("facts")
    .append(make("div", value.length > 30 ? { class: "wide" } : {}, make("dt", {}, word), make("dd", {}, value)));
fill("curves", data.curves, drawChart);
fill("examples", data.examples, drawExample);
fill("worst", data.worst, drawUtterance);
fill("best", data.best, drawUtterance);
drawConfusions(data.confusions);
document.getElementById("confusions").hidden = data.confusions.symbols.length < 2;
document.querySelector("#report pre").textContent = data.report;
