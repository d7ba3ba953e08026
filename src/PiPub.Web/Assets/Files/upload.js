// Shows how far an upload has got. Without this script the same form is sent as forms are, only without the bar.
document.addEventListener("submit", event => {
  const form = event.target.closest?.("form[data-upload]");
  if (!form) return;
  event.preventDefault();
  const bar = form.querySelector("progress");
  const words = form.querySelector("[data-upload-words]");
  const button = form.querySelector("button");
  const size = [...form.querySelectorAll("input[type=file]")].reduce((sum, input) => sum + (input.files[0]?.size ?? 0), 0);
  if (size > Number(form.dataset.upload)) {
    words.textContent = form.dataset.tooLarge;
    words.hidden = false;
    return;
  }
  const request = new XMLHttpRequest();
  request.upload.onprogress = progress => {
    bar.max = progress.total;
    bar.value = progress.loaded;
  };
  // Whatever came of it, the page tells.
  request.onloadend = () => location.assign(form.dataset.next);
  request.open("POST", form.action);
  bar.hidden = false;
  button.disabled = true;
  request.send(new FormData(form));
});
// Who brings a secret has to confirm what must not be.
document.addEventListener("change", event => {
  const needs = event.target.dataset?.needs;
  if (needs) event.target.form.elements[needs].required = event.target.files.length > 0;
});
