import { mountPage } from '../mount';
import TrendPage from './TrendPage.vue';

mountPage(TrendPage);
