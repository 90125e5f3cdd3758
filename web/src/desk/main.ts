import '../design/base.css';
import './desk.css';
import { createApp } from 'vue';
import { applyTheme } from '../design/theme';
import DeskApp from './DeskApp.vue';
import { i18n, speak, spoken } from './look';

applyTheme();
speak(spoken.value);
createApp(DeskApp).use(i18n).mount('#app');
