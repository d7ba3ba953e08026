// What somebody has typed outlasts that the page is loaded again, and that it comes to life while they type: then fields are
// made anew. It is kept for this tab only, never a password, and forgotten when it is sent or another page is opened.
const kept = "input:not([type=password],[type=file],[type=hidden],[type=checkbox],[type=radio],[data-forget]), textarea:not([data-forget])";
const drafts = new Map(sessionStorage.draftsOf === location.href ? JSON.parse(sessionStorage.drafts ?? "[]") : []);

let writingIn;
const nameOf = field => field.name || field.id || field.labels?.[0]?.textContent.trim();

function keep() {
  sessionStorage.draftsOf = location.href;
  sessionStorage.drafts = JSON.stringify([...drafts]);
}

function putBack(fields) {
  for (const field of fields) {
    const draft = drafts.get(nameOf(field));
    if (draft === undefined || field.value === draft) continue;
    field.value = draft;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    if (nameOf(field) === writingIn && document.activeElement === document.body) field.focus();
  }
}

document.addEventListener("input", event => {
  if (!event.isTrusted || !event.target.matches(kept)) return;
  writingIn = nameOf(event.target);
  drafts.set(writingIn, event.target.value);
  keep();
});
document.addEventListener("submit", event => {
  for (const field of event.target.querySelectorAll(kept)) drafts.delete(nameOf(field));
  keep();
});
// Fields are put back as they appear; what the page itself changes in one that is there is its own business.
new MutationObserver(changes => {
  if (location.href !== sessionStorage.draftsOf) drafts.clear();
  if (drafts.size === 0) return;
  for (const node of changes.flatMap(change => [...change.addedNodes])) {
    if (node.matches?.(kept)) putBack([node]);
    else if (node.querySelectorAll) putBack(node.querySelectorAll(kept));
  }
}).observe(document.body, { childList: true, subtree: true });
putBack(document.querySelectorAll(kept));
