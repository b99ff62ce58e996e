// The names of a box in output, h_n and c_n: sequence b, row k of the states (layer and direction), step t.
lstm.names = ({ layers, directions, lengths }, b, k, t) => {
  const reverse = k % directions;
  const half = ["", ", 0:H", ", H:2H"][directions - 1 + reverse];
  const last = t === (reverse ? 0 : lengths[b] - 1);
  return {
    output: k >= (layers - 1) * directions && `output[${b}, ${t}${half}]`,
    h_n: last && `h_n[${k}, ${b}]`,
    c_n: last && `c_n[${k}, ${b}]`,
  };
};

lstm.figure("output", (stage, now) => {
  const { make, span } = lstm;
  const { lengths, steps } = now;
  const { node, say } = lstm.words();

  function box(row, b, k, t) {
    const names = lstm.names(now, b, k, t);
    const padding = t >= lengths[b];
    const all = Object.values(names).filter(Boolean).join(", ") || "in none of the three";
    const label = `Sequence ${b}, ${row}, step ${t}: ${padding ? "padding, zero, " : ""}${all}.`;
    const look = `${names[now.tensor] ? "play-lit" : ""} ${padding ? "play-padding" : ""}`;
    const choose = () => say(label, (now.box = [b, k, t]));
    const radio = make("input", { type: "radio", name: "box", class: look, "aria-label": label, change: choose });
    if ((radio.checked = `${now.box}` === `${[b, k, t]}`)) choose();
    return radio;
  }

  function draw() {
    const two = now.directions - 1;
    const rows = now.layers << two;
    const state = `n (${rows}, ${grids.length}, H)`;
    const shapes = [`output (${grids.length}, ${steps.length}, ${two ? 2 : ""}H)`, `h_${state}`, `c_${state}`];
    choices[2].querySelectorAll("span").forEach((span, i) => (span.textContent = shapes[i]));
    stage.dataset.tensor = now.tensor;
    now.box[1] = Math.min(now.box[1], rows - 1);
    grids.forEach((grid, b) => {
      grid.replaceChildren(...["step", ...steps].map(span));
      for (let k = 0; k < rows; k++) {
        const row = `layer ${k >> two}${["", " forward", " reverse"][two + (k & two)]}`;
        grid.prepend(span(row), ...steps.map((t) => box(row, b, k, t)));
      }
    });
  }

  const put = (object, key) => (value) => draw((object[key] = value));
  const choices = Object.entries(now.choices).map(([key, each]) => lstm.choice(key, each, now[key], put(now, key)));
  const grids = lengths.map(() => make("div", { class: "play-grid" }));
  const sliders = lengths.map((length, b) => lstm.slider(`lengths[${b}]`, now.stops, length, put(lengths, b)).node);
  stage.append(...choices, ...grids.map((grid, b) => make("div", {}, sliders[b], grid)), node);
  draw();
});
