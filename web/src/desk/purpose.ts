import { ref } from 'vue';

/** What persons' data are looked at for, as long as the page lives; every reading tells the server again. */
export const purpose = ref('');
export const withPurpose = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}purpose=${encodeURIComponent(purpose.value)}`;
