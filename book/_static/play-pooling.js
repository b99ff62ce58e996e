// A pool gives each step a share, and is the sum of shares times values.
lstm.pools = (x, { "half-life": life, query }) => {
  const last = x.length - 1;
  const order = [...x.keys()].sort((s, t) => x[s] - x[t]);
  const sum = (values) => values.reduce((a, b) => a + b);
  const weights = {
    last: (t) => t === last,
    max: (t) => x[t] === x[order[last]],
    mean: () => 1,
    median: (t) => (t === order[last >> 1]) + (t === order[(last + 1) >> 1]),
    decay: (t) => 0.5 ** ((last - t) / life),
    attention: (t) => Math.exp(query * x[t]),
  };
  return Object.values(weights).map((weight) => {
    const all = x.map((_, t) => +weight(t));
    const shares = all.map((each) => each / sum(all));
    return { shares, value: sum(shares.map((share, t) => share * x[t])) };
  });
};

lstm.figure("pooling", (stage, now) => {
  const { text, choice, plot } = lstm;
  const { x } = now;
  const T = x.length;
  const strip = plot("x", T, -2, 2);
  const show = lstm.series(strip, "x", x, 0.1, (k) => update((now.step = k)));
  const { node, say } = lstm.words();
  const rows = Object.entries(now.looks).map(([name, look]) => {
    const row = plot(name, T, 0, 1);
    return { ...row, name, level: strip.line(look), bars: row.line(`${look} play-fill`) };
  });
  let [before, size] = [[...x], 0];

  function update() {
    strip.frame.style = `--valid: ${now.length / T}`;
    const end = now.padding === "read" ? T : now.length;
    const [was, is] = [before, x].map((values) => lstm.pools(values.slice(0, end), now));
    const words = rows.map(({ name, level, bars, output }, i) => {
      const { shares, value } = is[i];
      level([[0, value], [end, value]]);
      bars(shares.flatMap((share, t) => [[t, 0], [t, share], [t + 1, share], [t + 1, 0]]));
      output.value = `${text(value)} ${text(value - was[i].value).replace(/^\d/, "+$&")}`;
      return `${name} ${output.value}`;
    });
    say(words.join(", "));
  }

  function strike(spreads) {
    if (size) x.splice(0, T, ...before);
    else before = [...x];
    size = spreads * now.spread;
    x[now.step] += size;
    strip.scale(-2, 2 + size);
    update(show());
  }

  const put = (key) => (value) => update((now[key] = value));
  stage.append(
    strip.node,
    choice("outlier, in spreads", [0, 3, 10], 0, strike),
    choice("padding", ["masked", "read"], now.padding, put("padding")),
    ...Object.entries(now.stops).map(([key, each]) => lstm.slider(key, each, now[key], put(key)).node),
    ...rows.map((row) => row.node),
    node,
  );
  update();
});
