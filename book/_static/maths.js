// Formulas are set once the page is painted, in pieces, so that it can be read and scrolled meanwhile: those in view
// first, those in folds and cards last. MathJax.startup.promise is kept when all are set. A formula's menu weighs as
// much as half of the rest, so it is fetched when a reader first asks for it.
(() => {
  const PIECE = 8; // milliseconds of work between two pauses; a phone is some four times slower than a desk
  const PARTS = ["core", "input/tex", "output/chtml", "output/chtml/fonts/tex", "a11y/assistive-mml"];
  const folder = new URL("mathjax", document.currentScript.src).href;
  // What MathJax's render() does, step by step. Each is taken with a whole group before the next: the page is styled and
  // laid out anew only to measure and at the end, and a long formula is several pieces of work.
  const STEPS = ["compile", "getMetrics", "typeset", "assistiveMml", "updateDocument"];
  const found = []; // all formulas, first those to be set first
  let maths, withMenu, kept, broken;

  function inOrder() {
    const seen = [], others = [], folded = [];
    for (const each of document.querySelectorAll(".math")) {
      const { top, bottom, width } = each.getBoundingClientRect();
      const hidden = !width || each.closest("details:not([open])");
      (hidden ? folded : bottom > 0 && top < innerHeight ? seen : others).push(each);
    }
    return [seen, others, folded];
  }

  // Have a MathJax take a step, with some formulas and with those that it is to find in some elements; return them all.
  function run(by, step, formulas, elements = []) {
    const { mathjax } = MathJax._.mathjax;
    return mathjax.handleRetriesFor(() => {
      by.math = new by.options.MathList();
      by.math.push(...formulas);
      by.options.elements = elements;
      by.reset();
      by[step]();
      return [...by.math];
    });
  }

  // A page that nobody looks at has no need of pauses, and its timers are slow.
  const pause = () => document.hidden || new Promise((go) => setTimeout(go));

  async function setAll() {
    await pause(); // MathJax has just begun, which takes a while too
    maths = MathJax.startup.document;
    const groups = [];
    for (const elements of inOrder()) groups.push(await run(maths, "findMath", [], elements));
    found.push(...groups.flat());
    for (const group of groups) {
      for (const step of STEPS) {
        for (let from = 0, many = 1; from < group.length; ) {
          const start = performance.now(), piece = group.slice(from, (from += many));
          await run(maths, step, piece);
          if (step === "updateDocument") {
            for (const { typesetRoot } of piece) typesetRoot.setAttribute("tabindex", "0");
            document.body.offsetHeight; // the page is laid out now: how long it takes counts
          }
          many = Math.max(1, Math.min(2 * many, Math.round((many * PIECE) / (performance.now() - start))));
          await pause();
        }
      }
    }
  }
  addEventListener("beforeprint", () => found.length && run(maths, "render", found));

  // The menu

  async function loadMenu() {
    // Readers may have chosen on another site of this host what is not here; MathJax would look for it, and set nothing.
    try {
      const key = "MathJax-Menu-Settings", chosen = JSON.parse(localStorage.getItem(key) ?? "{}");
      for (const each of ["renderer", "explorer", "collapsible"]) delete chosen[each];
      localStorage.setItem(key, JSON.stringify(chosen));
    } catch {}
    await MathJax.loader.load("ui/menu");
    document.getElementById("MJX-CHTML-styles").removeAttribute("id"); // or it gives way to the next; formulas need both
    MathJax.startup.getComponents();
    // It offers what is in the site: one renderer, and MathML for screen readers in place of a voice of its own.
    const { menu } = MathJax.startup.document.menu;
    menu.findID("Settings", "Renderer").disable();
    menu.findID("Accessibility").disable();
    return MathJax.startup.document;
  }

  // A formula that is asked for its menu is set again, by a MathJax that has one, and asked again.
  async function ask(event) {
    const formula = event.target.closest?.("mjx-container");
    const item = formula && found.find((each) => each.typesetRoot === formula);
    if (!item) return;
    event.preventDefault();
    event.stopPropagation();
    const { left, bottom } = formula.getBoundingClientRect(), { clientX = left, clientY = bottom, view } = event;
    const place = formula.parentElement, by = await (withMenu ??= loadMenu());
    item.removeFromDocument(true);
    await run(by, "render", [], [place]);
    const again = place.querySelector("mjx-container");
    again.focus({ preventScroll: true });
    again.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX, clientY, view }));
  }
  document.addEventListener("contextmenu", ask, true);
  document.addEventListener("keydown", (event) => event.key === " " && ask(event), true);

  // MathJax

  function load() {
    for (const part of PARTS) {
      const link = { rel: "preload", as: "script", href: `${folder}/${part}.js` };
      document.head.append(Object.assign(document.createElement("link"), link));
    }
    const script = Object.assign(document.createElement("script"), { src: `${folder}/startup.js` });
    script.onerror = () => broken(new Error(`${script.src} is not there`));
    document.head.append(script);
  }

  function pageReady() {
    const all = setAll();
    all.then(kept, broken);
    return all;
  }

  const promise = new Promise((...both) => ([kept, broken] = both));
  const components = PARTS.filter((part) => !part.includes("fonts")); // the fonts come with the output
  window.MathJax = { ...window.MathJax, loader: { load: components, paths: { mathjax: folder } }, startup: { promise, pageReady } };
  const painted = new Promise((go) => new PerformanceObserver(go).observe({ type: "paint", buffered: true }));
  Promise.race([painted, new Promise((go) => setTimeout(go, 2000))]).then(load); // a page in the background is not painted
})();
