// The page of the adapters' tests: mounts one of the applications over a session.
import { connect } from 'wslink-client';
import * as react from './react.js';
import * as svelte from './svelte.js';
import * as vue from './vue.js';

const APPS = { react, vue, svelte };

window.open = (name, url) => {
  window.session = connect(url);
  const element = document.body.appendChild(document.createElement('div'));
  window.unmount = APPS[name].mount(element, window.session);
};
