// Builds the page; while developing, passes its WebSocket on to a server on this machine.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  build: { target: 'es2022' },
  server: { proxy: { '/ws': { target: 'ws://localhost:8080', ws: true } } },
});
