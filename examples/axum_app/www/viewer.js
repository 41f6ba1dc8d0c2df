// Relative, so that it holds below any prefix.
const url = new URL('ws', location.href);
url.protocol = url.protocol.replace('http', 'ws');
url.search = '';
document.getElementById('url').textContent = url.href;
