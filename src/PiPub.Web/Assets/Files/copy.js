// Copies the text beside a button. The newer clipboard needs HTTPS, which a box in a home seldom has; the older way does not.
document.addEventListener("click", event => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = button.parentElement.querySelector("textarea");
  text.focus();
  text.select();
  if (!document.execCommand("copy")) navigator.clipboard?.writeText(text.value);
  const words = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = words; }, 2000);
});
