import '../design/base.css';
import './tablet.css';
import { createApp } from 'vue';
import { applyTheme } from '../design/theme';
import App from './App.vue';
import { failed, keepMeeting, listenToAddress, lockWhenIdle, start } from './app';
import { i18n, setSize, size, speak, spoken } from './look';
import { registerShell } from './shell';

applyTheme();
speak(spoken.value);
setSize(size.value);
listenToAddress();
const page = createApp(App).use(i18n);
page.config.errorHandler = (error) => {
  // eslint-disable-next-line no-console
  console.error(error);
  failed(error);
};
void start().then(() => page.mount('#app'));
keepMeeting();
lockWhenIdle();
registerShell();
