// A component of Svelte on the stores.
import { mount as mountComponent, unmount } from 'svelte';
import App from './App.svelte';

export function mount(element, session) {
  const app = mountComponent(App, { target: element, props: { session } });
  return () => unmount(app);
}
