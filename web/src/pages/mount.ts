import '../design/base.css';
import { createApp, type Component } from 'vue';
import { applyTheme } from '../design/theme';
import { i18n, language, speak } from '../i18n';

/** What every page does first: colours, language, then its own component. */
export function mountPage(page: Component): void {
  applyTheme();
  speak(language());
  createApp(page).use(i18n).mount('#app');
}
