// After the first load the page works without a network: a service worker keeps its files, which it asks for when the page
// has all that it shows.

export function keepOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator) || window.top !== window) return;
  // Not on plain http, where browsers have none; and the page works without.
  void navigator.serviceWorker.register('./sw.js').catch(() => undefined);
}
