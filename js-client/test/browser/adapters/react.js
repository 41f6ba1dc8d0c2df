// A component of React on the hooks.
import { createElement as h, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useCall, useSessionState, useTopic } from 'wslink-client/react';

function App({ session }) {
  const [side, setSide] = useState('left');
  const { status } = useSessionState(session);
  const { value, error } = useTopic(session, `kit.${side}`);
  const { call, result, pending, error: failure } = useCall(session, 'kit.echo');
  return h(
    'div',
    {},
    h('output', { id: 'state' }, status),
    h('output', { id: 'event' }, error ? String(error) : (value?.n ?? 'none')),
    h('output', { id: 'result' }, pending ? '…' : (failure?.name ?? result?.args?.[0] ?? 'none')),
    h('button', { id: 'call', onClick: () => call(['answer']) }),
    h('button', { id: 'fail', onClick: () => call([() => {}]) }),
    h('button', { id: 'other', onClick: () => setSide('right') }),
  );
}

export function mount(element, session) {
  const root = createRoot(element);
  root.render(h(StrictMode, {}, h(App, { session })));
  return () => root.unmount();
}
