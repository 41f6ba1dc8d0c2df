// Builds the page; while developing, passes its WebSocket on to a server on this machine.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// The client of this repository as it was built there, for it is on no registry.
const client = (file) => fileURLToPath(new URL(`../../../js-client/dist/${file}.js`, import.meta.url));

export default defineConfig({
  base: './',
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  resolve: {
    alias: [
      { find: 'wslink-client/stock', replacement: client('stock/index') },
      { find: 'wslink-client/typed', replacement: client('typed') },
      { find: /^wslink-client$/, replacement: client('index') },
    ],
  },
  server: { proxy: { '/ws': { target: 'ws://localhost:8080', ws: true } } },
});
