// After a restart the box does not know the open pages any more. They are loaded again, unless somebody has typed something
// there: then the notice stays, and it is theirs to say when.
const typed = new Set();
document.addEventListener("input", event => typed.add(event.target));
document.addEventListener("submit", event => typed.forEach(field => { if (event.target.contains(field)) typed.delete(field); }));
const notice = document.getElementById("components-reconnect-modal");
new MutationObserver(() => {
  const keeps = [...typed].some(field => field.isConnected && (field.type === "checkbox" || field.value));
  if (notice.classList.contains("components-reconnect-rejected") && !keeps) location.reload();
}).observe(notice, { attributes: true, attributeFilter: ["class"] });
