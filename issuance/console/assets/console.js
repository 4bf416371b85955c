// What all pages share: a form is sent once.
document.addEventListener("submit", (e) => {
  if (e.defaultPrevented || e.target.dataset.sent) {
    if (e.target.dataset.sent) e.preventDefault();
    return;
  }
  e.target.dataset.sent = "1";
  setTimeout(() => delete e.target.dataset.sent, 3000);
});
