/// <reference lib="webworker" />
/** The service worker: one cache a release, filled whole or not at all, and answered from before the network. */

declare const self: ServiceWorkerGlobalScope;
/** Written in by the build: the release's digest and every file of the program. */
declare const __SHELL__: { readonly release: string; readonly files: readonly string[] };

const PREFIX = 'scilit-tablet-';
const CACHE = PREFIX + __SHELL__.release;
const PAGE = '/tablet/';

self.addEventListener('install', (event) => {
  // addAll keeps nothing if one file fails: half a release is none.
  const fill = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    await cache.addAll(__SHELL__.files.map((file) => new Request(file, { cache: 'reload' })));
  };
  event.waitUntil(fill());
});

self.addEventListener('message', (event) => {
  if (event.data === 'take over') event.waitUntil(self.skipWaiting());
});

self.addEventListener('activate', (event) => {
  // The newest other release stays, for a page that still runs from it.
  const tidy = async (): Promise<void> => {
    const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
    // The first release takes the page that installed it, so that a later one has somebody to wait for.
    if (others.length === 0) await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return;
  const isPage = event.request.mode === 'navigate';
  if (!isPage && !__SHELL__.files.includes(url.pathname)) return;
  const answer = async (): Promise<Response> => {
    const cache = await caches.open(CACHE);
    return (await cache.match(isPage ? PAGE : url.pathname)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});

export {};
