// The first command works from where the page was opened.
for (const place of document.querySelectorAll('.origin')) place.textContent = location.origin;
