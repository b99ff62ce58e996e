// Three small networks that were trained to say whether the number of ones is odd: their states, beyond what they know.

// After each bit: the state of the shown unit, and whether the network says odd.
lstm.parity = (bits, { weight_ih, weight_hh, bias_ih, bias_hh, factor, add, head, head_bias, unit }, signed) => {
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const [squash, sum] = [signed ? Math.tanh : sigmoid, (values) => values.reduce((a, b) => a + b, 0)];
  const H = head.length;
  let [h, c] = [Array(H).fill(0), Array(H).fill(0)];
  const linear = (bit) => h.map((each, k) => squash(factor[bit][k]) * each + add[bit][k]);
  function gated(bit) {
    const z = weight_hh.map((row, r) => weight_ih[r][0] * bit + sum(row.map((w, k) => w * h[k])) + bias_ih[r] + bias_hh[r]);
    c = c.map((each, k) => sigmoid(z[H + k]) * each + sigmoid(z[k]) * Math.tanh(z[2 * H + k]));
    return c.map((each, k) => sigmoid(z[3 * H + k]) * Math.tanh(each));
  }
  return bits.map((bit) => {
    h = weight_hh ? gated(bit) : linear(bit);
    return { state: h[unit], odd: sum(h.map((each, k) => head[k] * each)) + head_bias > 0 };
  });
};

lstm.figure("parity", (stage, { sequences, trained, networks, step }) => {
  const { choice, plot, range, slider, text } = lstm;
  const bits = [...Object.values(sequences)[0]];
  const T = bits.length;
  const says = lstm.words();
  const bars = (values) => values.flatMap((value, t) => [[t, 0], [t, value], [t + 1, value], [t + 1, 0]]);
  let at = step;

  const inputs = plot("bits", T, 0, 1);
  const ones = inputs.line("play-fill play-x");
  const rows = Object.entries(networks).map(([name, weights]) => {
    const row = plot(name.replace(", ", ",\xa0"), T, -1, 1);
    return { name, weights, row, wrong: row.line("play-fill play-output"), state: row.line("play-hidden") };
  });

  function update() {
    let count = 0;
    const odd = bits.map((bit) => (count += bit) % 2 === 1);
    ones(bars(bits));
    inputs.output.value = bits[at - 1];
    const score = rows.map(({ name, weights, row, wrong, state }) => {
      const states = lstm.parity(bits, weights, name.includes("−"));
      const most = Math.max(0.01, ...states.map((each) => Math.abs(each.state)));
      row.scale(-most, most, [text(most, 1), text(-most, 1)]);
      wrong(states.flatMap((each, t) => (each.odd === odd[t] ? [] : [[t, -most], [t, most], [t + 1, most], [t + 1, -most]])).concat([[T, -most]]));
      state(states.map((each, t) => [t + 0.5, each.state]));
      row.output.value = text(states[at - 1].state);
      return `${name}: ${states.filter((each, t) => each.odd === odd[t]).length}`;
    });
    stage.style = `--at: ${(at - 0.5) / T}; --trained: ${trained / T}`;
    says.say(`After step ${at} the number of ones is ${odd[at - 1] ? "odd" : "even"}. Right answers in ${T} steps: ${score.join("; ")}.`);
  }

  const flip = choice("bit", [0, 1], bits[at - 1], (value) => {
    bits[at - 1] = value;
    update();
  });
  const show = () => {
    flip.querySelectorAll("input")[bits[at - 1]].checked = true;
    update();
  };
  stage.append(
    choice("sequence", Object.keys(sequences), Object.keys(sequences)[0], (name) => {
      bits.splice(0, T, ...sequences[name]);
      show();
    }),
    slider("step", range(1, T, 1), at, (value) => {
      at = value;
      show();
    }).node,
    flip,
    inputs.node,
    ...rows.map(({ row }) => row.node),
    lstm.axis("step", range(0, T, 10)),
    says.node,
  );
  show();
});
