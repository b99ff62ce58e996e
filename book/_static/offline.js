// A button that keeps the book on this device, or removes it again. The work is done by the service worker, `sw.js`.
(() => {
  const box = document.querySelector(".offline");
  if (!box || !navigator.serviceWorker || !location.protocol.startsWith("http")) return;
  const root = new URL(document.documentElement.dataset.content_root, location).href;

  box.innerHTML = '<button type="button" class="sd-btn sd-btn-outline-primary"></button> <span role="status"></span>';
  const [button, status] = box.children;
  function show(kept, word = "") {
    button.textContent = kept ? "Remove the book from this device" : `Keep the book on this device (${box.dataset.size})`;
    button.onclick = kept ? remove : keep;
    button.disabled = false;
    status.textContent = word;
  }

  async function keep() {
    button.disabled = true;
    status.textContent = "Fetching …";
    try {
      const { installing: worker } = await navigator.serviceWorker.register(`${root}sw.js`, { scope: root });
      await new Promise((done, failed) => {
        if (!worker) done();
        else worker.onstatechange = () => ({ activated: done, redundant: failed })[worker.state]?.();
      });
      show(true, "Kept. It now opens without a network.");
    } catch {
      await clear();
      show(false, "It could not be fetched whole. Nothing is kept; try again with a better connection.");
    }
  }

  async function remove() {
    await clear();
    show(false, "Removed.");
  }

  async function clear() {
    await (await registration())?.unregister();
    for (const name of await caches.keys()) if (name.startsWith("lstm-from-the-gates-up ")) await caches.delete(name);
  }

  async function registration() {
    const all = await navigator.serviceWorker.getRegistrations();
    return all.find(({ scope }) => scope === root);
  }

  registration().then((found) => show(!!found?.active));
})();
