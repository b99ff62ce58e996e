// A term of the glossary shows its card: under the mouse, with the keyboard's focus, at the first tap of a finger.
(() => {
  const GAP = 6; // pixels from the card to its term
  const EDGE = 8; // pixels from the card to the window's edge
  const PAUSE = 150; // milliseconds before a card comes or goes
  let shown = null;
  let card = null;
  let timer = 0;
  let tapped = false;

  function place() {
    const lines = [...shown.getClientRects()];
    const width = document.documentElement.clientWidth;
    const first = lines[0];
    const last = lines.at(-1);
    const head = document.querySelector(".bd-header-article")?.getBoundingClientRect().bottom ?? 0;
    if (last.bottom < head || first.top > innerHeight) return hide();
    const above = first.top - GAP - card.offsetHeight;
    const below = last.bottom + GAP;
    const fits = below + card.offsetHeight <= innerHeight - EDGE || above < head;
    const left = fits ? last.left : first.left;
    card.style.top = `${fits ? below : above}px`;
    card.style.left = `${Math.max(EDGE, Math.min(left, width - EDGE - card.offsetWidth))}px`;
  }

  function show(link) {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    shown = link;
    card = document.getElementById(link.getAttribute("aria-describedby"));
    card.hidden = false;
    place();
  }

  function hide() {
    clearTimeout(timer);
    if (card) card.hidden = true;
    shown = card = null;
  }

  function later(what) {
    clearTimeout(timer);
    timer = setTimeout(what, PAUSE);
  }

  const leave = (event) => {
    if (event.pointerType !== "touch" && document.activeElement !== shown) later(hide);
  };

  for (const link of document.querySelectorAll("a[href*='#term-']:has(> .std-term)")) {
    const own = document.getElementById(`card-${decodeURIComponent(link.hash.slice(1))}`);
    if (!own) continue;
    link.setAttribute("aria-describedby", own.id);
    link.addEventListener("pointerenter", (event) => event.pointerType === "touch" || later(() => show(link)));
    link.addEventListener("pointerleave", leave);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
    link.addEventListener("pointerdown", (event) => (tapped = event.pointerType === "touch" && shown !== link));
    link.addEventListener("click", (event) => {
      if (tapped) event.preventDefault();
      if (tapped) show(link);
      tapped = false;
    });
  }
  for (const each of document.querySelectorAll(".term-card")) {
    each.addEventListener("pointerenter", () => clearTimeout(timer));
    each.addEventListener("pointerleave", leave);
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("pointerdown", (event) => shown?.contains(event.target) || card?.contains(event.target) || hide());
  for (const moved of ["scroll", "resize"]) addEventListener(moved, () => shown && place(), { passive: true });
})();
