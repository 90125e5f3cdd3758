import { nextTick } from 'vue';

/**
 * Where the keyboard and the screen reader go on after something on the screen was exchanged. Without a word the focus would fall
 * to the top of the page, and whoever works with keys would start over at the bar.
 */
export function focusOn(target: Element | null | undefined): void {
  if (!(target instanceof HTMLElement)) return;
  // What is no control takes the focus from the program only.
  if (target.tabIndex < 0 && !target.hasAttribute('tabindex')) target.tabIndex = -1;
  target.focus();
}

/** The heading of the page. */
export const focusHeading = (): void => focusOn(document.querySelector('main h1') ?? document.querySelector('main'));

/** The first of these that is on the screen once it is drawn again. */
export async function focusFirst(...selectors: readonly string[]): Promise<void> {
  await nextTick();
  const found = selectors.map((selector) => document.querySelector(selector));
  focusOn(found.find((element) => element !== null && !element.matches(':disabled')));
}
