// What the theme leaves out for readers who do not see the page or have no mouse.
(() => {
  // A chapter's arrow in the table of contents has a name.
  for (const arrow of document.querySelectorAll(".bd-sidenav summary")) {
    const chapter = arrow.closest("li").querySelector("a");
    arrow.setAttribute("aria-label", `Pages of ${chapter.textContent.trim()}`);
  }

  // The way home belongs to a region of the page.
  const home = document.querySelector(".bd-sidebar-primary .navbar-brand")?.parentElement;
  home?.setAttribute("role", "navigation");
  home?.setAttribute("aria-label", "Home");

  // The bibliography is a list; its entries have a role that ARIA has given up since.
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.setAttribute("role", "listitem");

  // A page's source is saved, not shown, whatever the server calls its kind.
  for (const link of document.querySelectorAll(".btn-download-source-button")) link.setAttribute("download", "");

  // A table or formula that scrolls on a narrow screen is reached by keyboard. All are measured before one is changed.
  function reach() {
    const found = [...document.querySelectorAll(".bd-article :is(table.table, div.math, mjx-container[display])")];
    const wide = found.map((each) => each.scrollWidth > each.clientWidth);
    for (const [k, each] of found.entries()) {
      if (wide[k]) each.setAttribute("tabindex", "0");
      else each.removeAttribute("tabindex");
    }
  }
  window.addEventListener("load", reach);
  window.addEventListener("resize", reach);

  // Code that scrolls is reached by keyboard also in a fold: the theme looks for it when the window changes.
  document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);
})();
