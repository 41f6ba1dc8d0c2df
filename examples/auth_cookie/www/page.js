// The first generation of the protocol, by hand; the cookie goes with the handshake.
const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
const waiting = new Map();
const send = (id, method, args = []) =>
  new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    socket.send(JSON.stringify({ wslink: '1.0', id, method, args }));
  });
socket.onmessage = ({ data }) => {
  const { id, result, error } = JSON.parse(data);
  const { resolve, reject } = waiting.get(id);
  if (error) reject(error);
  else resolve(result);
};
socket.onopen = async () => {
  try {
    await send('system:1', 'wslink.hello', [{}]);
    document.querySelector('#greeting').textContent = await send('rpc:1', 'members.greet');
    document.querySelector('#logout').hidden = false;
  } catch {
    document.querySelector('#login').hidden = false;
  }
};
document.querySelector('#logout').onclick = async () => {
  await send('rpc:2', 'members.log_out');
  location.reload();
};
