// The end of a sign-in at an MCP server: asks where it must, tells the window that opened this one, and closes.
const place = document.querySelector('main');
const brought = Object.fromEntries(new URLSearchParams(location.search));
history.replaceState(null, '', location.pathname); // codes have no place in a history

function end(result, server) {
  window.opener?.postMessage({ source: 'parley-oauth', result, server_id: Number(server) || null }, '*'); // nothing secret in it
  if (result === 'connected') setTimeout(() => window.close(), 1500);
}

const form = document.getElementById('confirm');
form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const said = document.getElementById('said');
  const button = form.querySelector('button');
  button.disabled = true;
  said.textContent = '';
  try {
    const { state, code, iss } = brought;
    const answer = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ state, code, iss }),
    });
    const told = await answer.json();
    if (answer.ok && told.location) return void location.replace(told.location);
    document.querySelector('h1').textContent = answer.ok ? told.message : 'Not connected';
    document.querySelector('.lead').textContent = answer.ok ? 'You can close this window.' : told.detail;
    form.remove();
    end(answer.ok ? 'connected' : 'failed', told.server_id);
  } catch {
    said.textContent = 'That did not work: the server cannot be reached. Try again.';
    button.disabled = false;
  }
});

if (!form) end(place.dataset.result, place.dataset.server);
