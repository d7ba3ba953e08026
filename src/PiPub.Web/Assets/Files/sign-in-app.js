// Waits until the app has answered, then fetches the session. Without it, the button does the same.
const form = document.querySelector("form[data-events]");
const events = new EventSource(form.dataset.events);
events.addEventListener("success", () => { events.close(); form.submit(); });
events.addEventListener("failed", () => { events.close(); location.replace(form.dataset.over); });
