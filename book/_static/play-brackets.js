// What one LSTM unit and one RNN unit hold after each character of a sentence: do they count the open brackets?

// The hidden state of one RNN unit; its weights on "(", on ")" and on h, and its bias.
lstm.rnn = (open, close, [a, b, u, bias]) => {
  let h = 0;
  return open.map((_, t) => (h = Math.tanh(a * open[t] + b * close[t] + u * h + bias)));
};

// The states after each character, with all weights changed by a share; of the RNN also the depth that is read from h.
lstm.brackets = (sentence, { lstm: rows, rnn, readout: [slope, intercept] }, change) => {
  const characters = [...sentence];
  const [open, close] = ["(", ")"].map((bracket) => characters.map((each) => +(each === bracket)));
  const scaled = (row) => row.map((weight) => (1 + change) * weight);
  const layers = Object.entries(rows).map(([name, row]) => [name, scaled(row)]);
  const states = lstm.unit(open, close, Object.fromEntries(layers));
  const depth = lstm.rnn(open, close, scaled(rnn)).map((h) => slope * h + intercept);
  return characters.map((character, t) => ({ character, c: states[t].c, h: states[t].h, depth: depth[t] }));
};

lstm.figure("brackets", (stage, given) => {
  const { choice, make, span, text } = lstm;
  const says = lstm.words();
  let change = 0;
  const input = make("input", { type: "text", maxlength: 120, autocomplete: "off", spellcheck: "false", input: update });
  input.value = given.sentence;

  const rows = { c: "LSTM unit: cell state c", depth: "RNN unit: depth read from h" };
  const lines = Object.entries(rows).map(([key, name]) => {
    const [output, line] = [make("output", { "aria-live": "off" }), make("div", { class: "play-tinted", role: "img" })];
    function show(states) {
      const shown = states.map((state) => [state.character, +state[key].toFixed(1)]);
      line.replaceChildren(
        ...shown.map(([character, value]) => {
          const tint = `--tint: ${Math.min(Math.abs(value), 4) * 11}%`;
          const number = make("small", {}, span(value));
          return make("span", { style: tint, class: value < 0 ? "play-below" : "" }, character.replace(" ", "\xa0"), number);
        }),
      );
      line.ariaLabel = `${name} after each character: ${shown.map((pair) => pair.join(" ")).join(", ")}.`;
      output.value = text(states.at(-1)?.[key] ?? 0);
    }
    return { show, node: make("div", {}, make("div", { class: "play-name" }, span(name), output), line) };
  });

  function update() {
    const states = lstm.brackets(input.value, given, change);
    lines.forEach((line) => line.show(states));
    const { c, h, depth } = states.at(-1) ?? { c: 0, h: 0, depth: 0 };
    const more = Math.round(c) < 0 ? " More brackets were closed than opened." : "";
    says.say(`After ${states.length} characters: LSTM c = ${text(c)}, h = ${text(h)}; RNN: depth ${text(depth)}.${more}`);
  }

  stage.append(
    make("label", { class: "play-typed" }, span("Type a sentence with brackets"), input),
    ...lines.map((line) => line.node),
    choice("Change all weights by", given.changes, "0%", (share) => {
      change = parseFloat(share) / 100;
      update();
    }),
    says.node,
  );
  update();
});
