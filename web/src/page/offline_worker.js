// Keeps the page's files: what is named by its content comes from here, the page itself from the network where there is one.
/* global self, caches, fetch */
const FILES = ['__FILES__'];
const OWN = `irplan ${self.registration.scope} `; // other versions are kept under the same origin
const CACHE = `${OWN}__HASH__`;
const FORMER = /^irplan-\w+$/; // names until 2026-11

self.addEventListener('install', (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if ((name.startsWith(OWN) || FORMER.test(name)) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

/** The playground itself is kept as it was seen last; other pages, of which the embed's frame is kept, come from the network first. */
async function page(request) {
  const cache = await caches.open(CACHE);
  const { origin, pathname } = new URL(request.url);
  const own = (origin + pathname).replace(/index\.html$/, '') === self.registration.scope;
  try {
    const fresh = await fetch(request);
    if (own && fresh.ok) await cache.put('./', fresh.clone());
    return fresh;
  } catch {
    return (await cache.match(own ? './' : request, { ignoreSearch: true, ignoreVary: true })) ?? Response.error();
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept ?? fetch(request)));
});
