// What figures that a reader can move share: sliders, choices, words, plots, points.
(() => {
  // Give an element attributes; one that is a function listens to the event of its name.
  function set(node, attributes) {
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(key, value);
      else node.setAttribute(key, value);
    }
    return node;
  }

  function make(tag, attributes = {}, ...children) {
    const space = /^(svg|path|circle|rect)$/.test(tag) ? "2000/svg" : "1999/xhtml";
    const node = set(document.createElementNS(`http://www.w3.org/${space}`, tag), attributes);
    node.append(...children);
    return node;
  }

  const minus = (value) => `${value}`.replace(/^-/, "−");
  const text = (value, digits = 3) => minus((+value.toFixed(digits) + 0).toFixed(digits)); // + 0: never −0
  const range = (from, to, step) => Array.from({ length: 1.5 + (to - from) / step }, (_, k) => +(from + k * step).toFixed(6));
  const span = (text) => make("span", {}, minus(text));
  const quiet = () => make("output", { "aria-live": "off" });

  // A slider over the values that it may take.
  function slider(name, stops, value, moved, words = minus) {
    const output = quiet();
    const input = make("input", { type: "range", max: stops.length - 1, input: () => moved(put(stops[input.value])) });
    function put(value) {
      input.value = stops.indexOf(value);
      input.ariaValueText = output.value = words(value);
      return value;
    }
    put(value);
    return { node: make("div", { class: "play-slider" }, make("label", {}, span(name), input), output), set: put };
  }

  // One of several, as radio buttons; the one that is chosen can be pressed again.
  function choice(name, options, value, moved) {
    const button = (option) => {
      const checked = option === value && { checked: "" };
      return make("label", {}, make("input", { type: "radio", name, click: () => moved(option), ...checked }), span(option));
    };
    return make("fieldset", { class: "play-choice" }, make("legend", {}, name), ...options.map(button));
  }

  // What the figure says in words, when its reader has come to rest.
  function words() {
    const node = make("p", { role: "status" });
    let rest;
    const say = (text) => {
      clearTimeout(rest);
      if (node.textContent) rest = setTimeout(() => (node.textContent = text), 400);
      else node.textContent = text;
    };
    return { node, say };
  }

  // A strip with name, ticks and number: from 0 to `wide` across, from `low` to `high` upwards.
  function plot(name, wide, low, high) {
    const lines = make("svg", { viewBox: `0 0 ${wide} 1`, preserveAspectRatio: "none" });
    const [svg, ends, output] = [make("svg", { role: "img", "aria-label": name }, lines), make("span", { class: "play-ends" }), quiet()];
    const frame = make("div", { class: "play-frame" }, svg);
    const strip = { svg, frame, output, node: make("div", { class: "play-plot" }, span(name), ends, frame, output) };
    strip.scale = (low, high, ticks = [high, low]) => {
      Object.assign(strip, { low, high });
      ends.replaceChildren(...ticks.map(span));
    };
    strip.y = (value) => (strip.high - value) / (strip.high - strip.low);
    // A line; what it returns draws it through points [x, y].
    strip.line = (look) => {
      const path = lines.appendChild(make("path", { class: look }));
      return (points) => set(path, { d: "M" + points.map(([x, y]) => [x, strip.y(y)]).join("L") });
    };
    strip.scale(low, high);
    return strip;
  }

  // Below a plot: a name and ticks, at even distances.
  const axis = (name, ticks, look = "") =>
    make("div", { class: "play-plot" }, span(name), make("span", { class: `play-ticks ${look}` }, ...ticks.map(span)));

  // An upright slider over each value of a strip; left and right lead from one to the next.
  function series(strip, name, values, step, moved) {
    const inputs = values.map((_, k) =>
      make("input", {
        ...{ type: "range", step, tabindex: k ? -1 : 0, "aria-label": `${name}, step ${k + 1}` },
        input() {
          values[k] = +this.value;
          moved(k);
        },
        focus() {
          inputs.forEach((input, j) => (input.tabIndex = j === k ? 0 : -1));
          moved(k);
        },
        keydown(event) {
          const next = { ArrowLeft: k - 1, ArrowRight: k + 1 }[event.key];
          if (next === undefined) return;
          event.preventDefault();
          inputs[next]?.focus();
        },
      }),
    );
    function show() {
      inputs.forEach((input, k) => Object.assign(input, { min: strip.low, max: strip.high, value: values[k] }));
    }
    strip.frame.append(make("div", { class: "play-points" }, ...inputs));
    show();
    return show;
  }

  // What one LSTM unit does at every step of two inputs. A layer's row: its weights on x, reset and h, its bias.
  function unit(x, reset, rows) {
    let [c, h] = [0, 0];
    return x.map((_, t) => {
      const [f, i, g, o] = [..."figo"].map((name) => {
        const [w, r, u, b] = rows[name];
        const z = w * x[t] + r * reset[t] + u * h + b;
        return name === "g" ? Math.tanh(z) : 1 / (1 + Math.exp(-z));
      });
      const before = c;
      c = f * c + i * g;
      h = o * Math.tanh(c);
      return { x: x[t], reset: reset[t], f, i, g, o, c, h, before };
    });
  }

  // Build what can be moved, and only then put it in the picture's place.
  function figure(name, build) {
    const place = document.querySelector(`.play-${name}`);
    const stage = make("div", { class: "play-stage" });
    build(stage, JSON.parse(document.getElementById(`play-${name}`).textContent));
    place.prepend(stage);
    place.classList.add("play-on");
  }

  window.lstm = { set, make, span, text, range, slider, choice, words, plot, axis, series, unit, figure };
})();
