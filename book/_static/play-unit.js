// One LSTM unit over a sequence: its inputs are drawn, its weights set; its gates and states follow.

lstm.figure("unit", (stage, { sequences, reset, presets, weights }) => {
  const { choice, plot, series, slider, text } = lstm;
  const x = [...sequences.pulses];
  const says = lstm.words();
  let [rows, layer, at] = [structuredClone(presets.latch), "i", 1];

  const layers = ["forget f", "input i", "candidate g", "output o"];
  const strips = ["x", "reset", ...layers, "cell c", "hidden h"].map((name) => {
    const [look, key = name] = name.split(" ");
    const strip = plot(name, x.length, /[xgch]/.test(key) ? -1 : 0, 1);
    const line = strip.line(`play-fill play-${look}`);
    strip.show = (states) => {
      const values = states.map((state) => state[key]);
      const most = +Math.max(0.01, ...values.map(Math.abs)).toPrecision(2);
      if (key === "c") strip.scale(-most, most);
      line([[0, 0], ...values.flatMap((value, t) => [[t, value], [t + 1, value]]), [x.length, 0]]);
      strip.output.value = text(values[at]);
    };
    return strip;
  });
  const place = series(strips[0], "x", x, 0.1, update);
  series(strips[1], "reset", reset, 1, update);
  const sliders = ["weight on x", "weight on reset", "weight on h", "bias"].map((name, k) =>
    slider(name, weights, 0, (value) => {
      rows[layer][k] = value;
      update();
    }),
  );

  function update(step = at) {
    at = step;
    const states = lstm.unit(x, reset, rows);
    strips.forEach((strip) => strip.show(states));
    stage.style = `--at: ${at}`; // marks the step
    const [f, before, i, g, c] = ["f", "before", "i", "g", "c"].map((key) => text(states[at][key]));
    says.say(`Step ${at + 1}: c = f × c before + i × g = ${f} × ${before} + ${i} × ${g} = ${c}.`);
  }
  function refresh() {
    place();
    sliders.forEach((slider, k) => slider.set(rows[layer][k]));
    update();
  }

  stage.append(
    choice("Start from", Object.keys(presets), "latch", (name) => {
      rows = structuredClone(presets[name]);
      refresh();
    }),
    choice("Sequence", Object.keys(sequences), "pulses", (name) => {
      Object.assign(x, sequences[name]);
      refresh();
    }),
    ...strips.map((strip) => strip.node),
    lstm.axis("step", lstm.range(1, x.length, 1), "play-bands"),
    says.node,
    choice("Layer", layers, "input i", (name) => {
      layer = name.at(-1);
      refresh();
    }),
    ...sliders.map((slider) => slider.node),
  );
  refresh();
});
