// What two small networks believe about the country of a place name: after each letter, and after reading padding.

// The numbers of an array that is stored as 8-bit integers in hexadecimal digits, with one scale for all.
lstm.whole = ({ scale, hex }) => hex.match(/../g).map((pair) => scale * ((parseInt(pair, 16) << 24) >> 24));

// An LSTM with a linear layer: the probabilities of the countries after each token, from its arrays.
lstm.beliefs = (tokens, weights) => {
  const arrays = Object.entries(weights).map(([name, each]) => [name, lstm.whole(each)]);
  const { weight_ih, weight_hh, bias_ih, bias_hh, W_y, b_y, embedding } = Object.fromEntries(arrays);
  const H = bias_ih.length / 4;
  const E = weight_ih.length / (4 * H);
  // Row k of a matrix times a vector.
  const times = (matrix, k, vector) => vector.reduce((sum, value, j) => sum + matrix[k * vector.length + j] * value, 0);
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  let [h, c] = [Array(H).fill(0), Array(H).fill(0)];
  return tokens.map((token) => {
    const x = embedding.slice(token * E, (token + 1) * E);
    const z = bias_ih.map((bias, k) => bias + bias_hh[k] + times(weight_ih, k, x) + times(weight_hh, k, h));
    c = c.map((before, k) => sigmoid(z[H + k]) * before + sigmoid(z[k]) * Math.tanh(z[2 * H + k]));
    h = c.map((value, k) => sigmoid(z[3 * H + k]) * Math.tanh(value));
    const scores = b_y.map((bias, k) => Math.exp(bias + times(W_y, k, h)));
    const all = scores.reduce((sum, score) => sum + score);
    return scores.map((score) => score / all);
  });
};

// A name in small letters without accents, as the networks know it; tokens 0, 1 and 2 are padding, start and stop.
lstm.letters = (name, { letters, steps }) =>
  [...name.toLowerCase().normalize("NFKD")].filter((letter) => letters.includes(letter)).slice(0, steps);

lstm.city = (name, { letters, masked, unmasked, steps }) => {
  const tokens = lstm.letters(name, { letters, steps }).map((letter) => 3 + letters.indexOf(letter));
  const padded = lstm.beliefs(Array.from({ length: 2 * steps }, (_, t) => tokens[t] ?? 0), unmasked.weights);
  return { masked: lstm.beliefs(tokens, masked.weights), unmasked: [padded[steps - 1], padded[2 * steps - 1]] };
};

lstm.figure("city", (stage, given) => {
  const { make, span, text } = lstm;
  const { countries, steps } = given;
  const says = lstm.words();
  const input = make("input", { type: "text", maxlength: 40, autocomplete: "off", spellcheck: "false", input: update });
  input.value = given.name;
  const map = make("div", { class: "play-map", role: "img" });
  const right = { ...given.masked.right, ...given.unmasked.right };
  const padded = [steps, 2 * steps].map((step) => [`padded to ${step}`, `step ${step}`]);
  const answers = [["last letter", "last letter"], ...padded].map(([name, key]) => {
    const list = make("div");
    const of = make("small", {}, `${right[key][1].toFixed(0)}% of the test names right`);
    return { name, list, node: make("div", { class: "play-top" }, make("strong", {}, name), make("div", {}, of), list) };
  });

  // The three likeliest countries of a column.
  const top = (column) =>
    countries.map((country, k) => ({ country, p: column[k] })).sort((a, b) => b.p - a.p).slice(0, 3);

  function cell(p, look) {
    return make("span", { style: `--tint: ${(100 * p).toFixed(1)}%`, class: `play-cell ${look}` });
  }

  function update() {
    const letters = lstm.letters(input.value, given);
    const { masked, unmasked } = lstm.city(input.value, given);
    map.style.setProperty("--letters", letters.length || 1);
    map.hidden = !letters.length;
    const labels = [...letters.map((letter) => letter.replace(" ", "␣")), "", `${steps}`, `${2 * steps}`];
    const heads = labels.map((label) => make("span", { class: "play-head" }, label));
    const rows = countries.map((country, k) => [
      span(country),
      ...masked.map((column) => cell(column[k], "")),
      span(""),
      ...unmasked.map((column) => cell(column[k], "play-unmasked")),
    ]);
    map.replaceChildren(span(""), ...heads, ...rows.flat());
    const first = letters.map((letter, t) => `${letter} ${top(masked[t])[0].country}`).join(", ");
    map.ariaLabel = `The likeliest country after each letter: ${first}.`;
    const columns = letters.length ? [masked.at(-1), ...unmasked] : [];
    const best = columns.map(top);
    answers.forEach(({ list }, i) => {
      const line = ({ country, p }) => make("div", {}, span(country), make("output", { "aria-live": "off" }, text(p)));
      list.replaceChildren(...(best[i] ?? []).map(line));
    });
    const three = (each) => each.map(({ country, p }) => `${country} ${text(p)}`).join(", ");
    const words = best.map((each, i) => `${answers[i].name}: ${three(each)}`);
    says.say(words.length ? `${letters.join("")}. ${words.join("; ")}.` : "Type a place name of three to twenty letters.");
  }

  stage.append(
    make("label", { class: "play-typed" }, span("Type a place name"), input),
    map,
    ...answers.map((answer) => answer.node),
    says.node,
  );
  update();
});
