import { onBeforeUnmount } from 'vue';

const EVERY_MS = 60_000;
/** Asking by itself counts as use and would keep a session alive at a desk that nobody sits at: it stops before the session would. */
const WATCHED_MS = 15 * 60_000;

/** Asks again every minute while the page is in sight and somebody was at the desk lately. */
export function useLive(again: () => Promise<void>): void {
  let touched = Date.now();
  const touch = (): void => {
    touched = Date.now();
  };
  const events = ['pointerdown', 'keydown', 'wheel'] as const;
  for (const name of events) addEventListener(name, touch, { passive: true });
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible' && Date.now() - touched < WATCHED_MS) void again();
  }, EVERY_MS);
  onBeforeUnmount(() => {
    clearInterval(timer);
    for (const name of events) removeEventListener(name, touch);
  });
}
