import { mountPage } from '../mount';
import StylePage from './StylePage.vue';

mountPage(StylePage);
