// Confirms the address with the token of the link, and forgets the token.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

const form = document.getElementById('confirm');
const said = document.getElementById('said');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  said.textContent = '';
  try {
    const answer = await fetch('/api/auth/confirm-email', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) {
      document.querySelector('h1').textContent = 'Your address is confirmed';
      document.querySelector('.lead').textContent = 'Nothing else has changed: sign in as before.';
      form.remove();
      return;
    }
    said.textContent = (await answer.json()).detail;
  } catch {
    said.textContent = 'That did not work: the server cannot be reached. Try again.';
  }
  button.disabled = false;
});
