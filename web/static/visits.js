// The staff's run by keyboard: digits answer the marked question, then choose the result; what is entered is kept at once.
(() => {
  const form = () => document.querySelector("[data-visit-form]");
  const typing = (target) => target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  const parts = () => [...form().querySelectorAll("[data-digits]")];
  const chosen = (part) => part.querySelector("input:checked");
  // Where she is: the part that has the focus, else the first one without an answer.
  const here = () => {
    const focused = document.activeElement?.closest?.("[data-digits]");
    return focused && form().contains(focused) ? focused : parts().find((part) => !chosen(part)) ?? parts().at(-1);
  };
  const mark = () => {
    if (!form()) return;
    const now = here();
    for (const part of parts()) part.classList.toggle("care-here", part === now);
  };

  addEventListener("keydown", (event) => {
    if (!form() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (!/^[1-9]$/.test(event.key)) return;
    const part = here();
    const input = part.querySelector(`[data-digit="${event.key}"]`);
    event.preventDefault();
    event.stopImmediatePropagation(); // On this page digits are answers, whatever shortcut they are elsewhere.
    if (!input) return;
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    const all = parts();
    const following = all.slice(all.indexOf(part) + 1).find((one) => !chosen(one));
    (following?.querySelector("input") ?? input).focus({ preventScroll: false });
    mark();
  }, true);

  let waiting = null;
  const keep = () => {
    clearTimeout(waiting);
    const now = form();
    if (now) fetch(now.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(now)), keepalive: true }).catch(() => null);
  };
  document.addEventListener("change", (event) => { if (form()?.contains(event.target)) { keep(); mark(); } });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("textarea") || !form()?.contains(event.target)) return;
    clearTimeout(waiting);
    waiting = setTimeout(keep, 800);
  });
  document.addEventListener("submit", (event) => { if (event.target === form()) clearTimeout(waiting); }, true);
  document.addEventListener("focusin", mark);
  document.addEventListener("hotline:page", mark);
  mark();
})();
