// After a restart the box does not know the open pages any more. They are loaded again, unless somebody has typed something
// there: then the notice stays, and it is theirs to say when.
const typed = new Set();
document.addEventListener("input", event => typed.add(event.target));
document.addEventListener("submit", event => typed.forEach(field => { if (event.target.contains(field)) typed.delete(field); }));
// An empty link leads to the base of all pages, not to this one.
document.addEventListener("click", event => {
  if (!event.target.closest?.("[data-reload]")) return;
  event.preventDefault();
  location.reload();
});
const notice = document.getElementById("components-reconnect-modal");
let asking;
new MutationObserver(() => {
  const is = state => notice.classList.contains("components-reconnect-" + state);
  const keeps = [...typed].some(field => field.isConnected && (field.type === "checkbox" || field.value));
  if (is("rejected") && !keeps) location.reload();
  clearInterval(asking);
  if (is("show") || is("failed")) asking = setInterval(askWhoIsThere, 2000);
}).observe(notice, { attributes: true, attributeFilter: ["class"] });

// A box that has begun anew, or has signed this browser out meanwhile, does not let the page back in: it leads on.
async function askWhoIsThere() {
  try {
    const answer = await fetch(location.href, { redirect: "manual" });
    if (answer.status === 401 || answer.type === "opaqueredirect") location.reload();
  } catch { /* Not there yet. */ }
}
