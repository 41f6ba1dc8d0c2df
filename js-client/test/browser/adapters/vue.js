// A component of Vue on the composables.
import { createApp, h } from 'vue';
import { useCall, useSessionState, useTopic } from 'wslink-client/vue';

export function mount(element, session) {
  const app = createApp({
    setup() {
      const state = useSessionState(session);
      const event = useTopic((options) => session.subscribe('kit.left', options));
      const { call, pending, result, error } = useCall(session, 'kit.echo');
      return () =>
        h('div', [
          h('output', { id: 'state' }, state.value.status),
          h('output', { id: 'event' }, String(event.value.error ?? event.value.value?.n ?? 'none')),
          h('output', { id: 'result' }, pending.value ? '…' : (error.value?.name ?? result.value?.args[0] ?? 'none')),
          h('button', { id: 'call', onClick: () => call(['answer']) }),
          h('button', { id: 'fail', onClick: () => call([() => {}]) }),
        ]);
    },
  });
  app.mount(element);
  return () => app.unmount();
}
