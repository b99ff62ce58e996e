// Keeps one edition of the book whole, and answers from it. A newer one is fetched beside it, and takes over when
// all pages of the old one are closed: no page is ever made of two editions.
const NAME = "lstm-from-the-gates-up ";
const HERE = NAME + BOOK.edition;

self.addEventListener("install", (event) => {
  const asked = BOOK.files.map((file) => new Request(file, { cache: "no-cache" })); // never an older one by chance
  event.waitUntil(caches.open(HERE).then((cache) => cache.addAll(asked))); // all of them, or none
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(NAME) && name !== HERE);
  const clear = caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name))));
  event.waitUntil(clear.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(HERE);
  return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}
