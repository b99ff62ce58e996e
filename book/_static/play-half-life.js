// Half-life against forget bias, and what is left of a stored number, step by step.

// ln 2 / −ln σ(bias), exact also where σ is next to 1.
lstm.halfLife = (bias) => Math.LN2 / Math.log1p(Math.exp(-bias));

lstm.figure("half-life", (stage, { bias, low, high, steps }) => {
  const { axis, halfLife, plot, range, text } = lstm;
  const biases = range(low, high, 0.1);
  const curve = plot("half-life", high - low, 0.1, 1000);
  curve.scale(0.1, 1000, [1000, 100, 10, 1, 0.1]);
  curve.y = (life) => (3 - Math.log10(life)) / 4;
  curve.line("play-forget")(biases.map((b) => [b - low, halfLife(b)]));
  const dot = curve.svg.appendChild(lstm.make("circle", { class: "play-forget", r: 7 }));
  const decay = plot("share left", steps, 0, 1);
  const [half, left] = [decay.line("play-grey"), decay.line("play-cell")];
  const says = lstm.words();

  function show(bias) {
    const [life, f] = [halfLife(bias), 1 / (1 + Math.exp(-bias))];
    lstm.set(dot, { cx: `${(100 * (bias - low)) / (high - low)}%`, cy: `${100 * curve.y(life)}%` });
    left(range(0, steps, 0.25).map((t) => [t, f ** t]));
    half([[0, 0.5], [life, 0.5], [life, 0]]);
    const after = (curve.output.value = text(life));
    const rest = (decay.output.value = text(f ** steps));
    says.say(`The forget gate is ${text(f)}. Half is left after ${after} steps, ${rest} after ${steps}.`);
  }

  stage.append(
    lstm.slider("forget bias", biases, bias, show).node,
    curve.node,
    axis("forget bias", range(low, high, 1)),
    decay.node,
    axis("step", range(0, steps, 25)),
    says.node,
  );
  show(bias);
});
