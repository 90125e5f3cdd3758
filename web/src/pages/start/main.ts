import { mountPage } from '../mount';
import StartPage from './StartPage.vue';

mountPage(StartPage);
