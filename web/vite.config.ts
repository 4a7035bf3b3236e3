import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers';
import components from 'unplugin-vue-components/vite';
import { defineConfig } from 'vite';
import router from 'vue-router/vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Builds the console into `web/dist`. `npx vite` serves it with the API of a server on 127.0.0.1:8080 (or SMARTFIRE_API) behind it. */
export default defineConfig({
  root: here('./console'),
  plugins: [
    router({ routesFolder: here('./console/pages'), dts: false }),
    vue(),
    components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
  ],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would need its own entry in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      '/api': { target: process.env.SMARTFIRE_API ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
});
