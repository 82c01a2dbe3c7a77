// Sets the new password with the token of the link, and forgets the token.
const token = new URLSearchParams(location.search).get('token');
history.replaceState(null, '', location.pathname);

const form = document.getElementById('reset');
const password = document.getElementById('password');
const said = document.getElementById('said');

document.getElementById('show').addEventListener('change', (event) => {
  password.type = event.target.checked ? 'text' : 'password';
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  said.textContent = '';
  try {
    const answer = await fetch('/api/auth/reset-password/confirm', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token, password: password.value }),
    });
    if (answer.ok) {
      document.querySelector('h1').textContent = 'Your new password is set';
      document.querySelector('.lead').textContent = 'Sign in with it.';
      form.remove();
      return;
    }
    const { detail, errors } = await answer.json();
    said.textContent = errors?.length ? `The password ${errors[0].msg}.` : detail;
  } catch {
    said.textContent = 'That did not work: the server cannot be reached. Try again.';
  }
  button.disabled = false;
});
