// Gives the code of a sign-in to the page of this address that opened this window, and goes.
const { code, state } = document.getElementById('code').dataset;
if (window.opener) {
  window.opener.postMessage({ type: 'parley-signed-in', sign_in_code: code, state }, location.origin);
  window.close();
}
