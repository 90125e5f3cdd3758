import { mountPage } from '../mount';
import DetailPage from './DetailPage.vue';

mountPage(DetailPage);
