import { app, path } from './app';

/**
 * The program itself comes from one cache a release. A newer one waits until somebody says so outside an interview, or until the
 * next cold start: nothing is exchanged under an interview.
 */

let waitingWorker: ServiceWorker | null = null;
/** Whether somebody said that the newer program should take over. */
let asked = false;

export function registerShell(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  void navigator.serviceWorker
    .register('/tablet/sw.js', { scope: '/tablet/', updateViaCache: 'none' })
    .then(watch)
    // Without it the program works and is not there offline, which the readiness check says.
    .catch(() => undefined);
  let reloading = false;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    // Only the tap on 更新 leads here: the first installation takes over nothing.
    if (!asked || reloading) return;
    reloading = true;
    location.reload();
  });
}

function watch(registration: ServiceWorkerRegistration): void {
  const look = (): void => {
    waitingWorker = registration.waiting;
    app.update = registration.waiting !== null && registration.active !== null;
  };
  look();
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
}

export const mayUpdate = (): boolean => app.update && path.value[3] !== 'talk';

export function update(): void {
  if (!mayUpdate()) return;
  asked = true;
  waitingWorker?.postMessage('take over');
}
