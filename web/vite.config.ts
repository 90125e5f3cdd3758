import vue from '@vitejs/plugin-vue';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const page = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [vue()],
  // The options API is not used; leaving it out makes every page smaller.
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  // One HTML file a page: no page carries another page's script, and the tablet app gets an entry of its own.
  build: {
    rolldownOptions: { input: { start: page('./index.html'), trend: page('./trend/index.html'), style: page('./style/index.html') } },
    // The server's content policy forbids inline script and style, so nothing may be inlined.
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': process.env['SCILIT_URL'] ?? 'http://127.0.0.1:8080' } },
  test: { include: ['test/**/*.test.ts'], environment: 'node', setupFiles: ['test/setup.ts'] },
});
