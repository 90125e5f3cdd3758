import vue from '@vitejs/plugin-vue';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin, Rolldown } from 'vite';
import { defineConfig } from 'vitest/config';

const page = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const { version } = JSON.parse(readFileSync(page('./package.json'), 'utf8')) as { version: string };
const TABLET = 'tablet/index.html';

/** Files of the tablet app that no import names. */
const ALWAYS = ['/tablet/', '/tablet/icon.svg', '/tablet/manifest.webmanifest'];

/**
 * Writes into the service worker which files belong to this release and the digest of them all. Workbox is not used: it keeps one
 * cache and exchanges the files in it, while the tablet must hold a release whole until its interviews are over.
 */
function shell(): Plugin {
  return {
    name: 'tablet-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = new Set(ALWAYS);
      const digest = createHash('sha256').update(readFileSync(page(`./${TABLET}`)));
      for (const name of ALWAYS.slice(1)) digest.update(readFileSync(page(`./public${name}`)));
      const add = (name: string): void => {
        const chunk = bundle[name];
        if (!chunk || files.has(`/${name}`)) return;
        files.add(`/${name}`);
        if (chunk.type !== 'chunk') return;
        const { importedCss } = (chunk as Rolldown.OutputChunk & { viteMetadata?: { importedCss: Set<string> } }).viteMetadata ?? {};
        [...chunk.imports, ...chunk.dynamicImports, ...(importedCss ?? [])].forEach(add);
      };
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
      const entry = chunks.find((one) => one.facadeModuleId === page(`./${TABLET}`));
      const worker = chunks.find((one) => one.fileName === 'tablet/sw.js');
      if (!entry || !worker) throw new Error('the tablet app has no entry or no service worker');
      add(entry.fileName);
      // Names under assets/ carry the digest of their content.
      for (const name of [...files].sort()) digest.update(name);
      const release = `${version}-${digest.digest('hex').slice(0, 12)}`;
      if (!worker.code.includes('__SHELL__')) throw new Error('the service worker has no place for its files');
      worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify({ release, files: [...files].sort() }));
    },
  };
}

export default defineConfig({
  plugins: [vue(), shell()],
  // The options API is not used; leaving it out makes every page smaller.
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __RELEASE__: JSON.stringify(version) },
  // One HTML file a page: no page carries another page's script, and the tablet app gets an entry of its own.
  build: {
    rolldownOptions: {
      input: { start: page('./index.html'), detail: page('./detail/index.html'), desk: page('./desk/index.html'), trend: page('./trend/index.html'), style: page('./style/index.html'), tablet: page(`./${TABLET}`), sw: page('./src/tablet/sw.ts') },
      // The worker stands where its scope begins, under a name that never changes.
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'tablet/sw.js' : 'assets/[name]-[hash].js') },
    },
    // The server's content policy forbids inline script and style, so nothing may be inlined.
    assetsInlineLimit: 0,
    target: 'es2022',
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': process.env['SCILIT_URL'] ?? 'http://127.0.0.1:8080' } },
  test: { include: ['test/**/*.test.ts'], environment: 'node', setupFiles: ['test/setup.ts'] },
});
