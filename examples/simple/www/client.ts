// What the page takes from our client: `cargo xtask demo` bundles it into `vendor/client.js`.
export { AuthenticationError, connect } from 'wslink-client';
export { api } from './api.js';
