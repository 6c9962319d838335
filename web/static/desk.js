// The agent's hands: shortcuts, the pop of a ringing call, the lock of an open task, the result that is still owed.
(() => {
  const keys = document.getElementById("keys");
  const ring = document.querySelector("[data-ring]");
  const visible = (each) => !each.closest("[inert]") && (each.checkVisibility ? each.checkVisibility() : each.offsetParent !== null);
  const onPage = (action) => [...document.querySelectorAll(`[data-key="${action}"]`)].filter(visible).at(-1);

  // Shortcuts: one key each, taken only while nothing is typed, so that neither browser nor reader loses one.
  const typing = (target) => target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");
  const lines = () => [...document.querySelectorAll("main .rows .row a:first-of-type")].filter(visible);
  const step = (by) => {
    const all = lines();
    if (!all.length) return;
    const at = all.findIndex((each) => each.closest(".row").contains(document.activeElement));
    all[Math.max(0, Math.min(all.length - 1, at + by))].focus();
  };
  const show = () => {
    for (const each of keys.querySelectorAll("[data-shortcut]")) {
      const { shortcut } = each.dataset;
      const here = ["help", "next", "previous"].includes(shortcut) || onPage(shortcut);
      each.classList.toggle("muted", !here);
    }
    keys.showModal();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && keys.open) { keys.close(); return; }
    if (event.key === "Escape" && typing(event.target) && event.target.closest("main, .bar-find, .phone-me")) event.target.blur();
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const press = event.key.toLowerCase();
    const found = keys.querySelector(`[data-press="${CSS.escape(press)}"]`);
    if (!found) return;
    const action = found.dataset.shortcut;
    event.preventDefault();
    if (action === "help") show();
    else if (action === "next") step(1);
    else if (action === "previous") step(-1);
    else if (!event.repeat) { // A key that is held down would hold the call and take it back by turns.
      const target = onPage(action);
      if (target?.matches("input, textarea, select")) {
        target.closest("form, section")?.scrollIntoView({ block: "nearest" });
        const chosen = target.type === "radio" && target.form.querySelector(`[name="${target.name}"]:checked`);
        (chosen || target).focus();
        if (!chosen) target.select?.(); // Of a radio it would take the focus back to the first one.
      } else target?.click();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) show();
    if (event.target.closest("#keys [data-close], #keys a")) keys.close();
  });

  // A call that rings is drawn at once; unless somebody is writing: then the bar offers it, and nothing is lost.
  const written = () => [...document.querySelectorAll("main form[method=post]")].some((form) =>
    [...form.elements].some((one) => (one.type === "radio" || one.type === "checkbox" ? one.checked !== one.defaultChecked
      : one.type !== "hidden" && "defaultValue" in one && one.value !== one.defaultValue)));
  // What was fetched ahead is drawn without waiting; the console is asked all the same: it writes that the pop was
  // read, and tells what has changed since.
  const draw = async (call, address) => {
    let kept = window.hotline.ahead.take(call);
    if (kept instanceof Promise) kept = await kept;
    if (!kept) return window.hotline.open(address);
    await window.hotline.draw(address, kept);
    const fresh = await window.hotline.ahead.page(address);
    if (fresh && location.pathname === address && !written()) window.hotline.renew(fresh);
  };
  const pop = (call) => {
    const address = window.hotline.ahead.address(call);
    if (location.pathname === address) return;
    if (!written()) { ring.hidden = true; draw(call, address); return; }
    const link = ring.querySelector("a");
    link.href = address;
    ring.hidden = false;
  };
  // No other telephone can ring for her: who it is stands there before the ring, unless somebody is at work with keys.
  document.addEventListener("ahead:sure", ({ detail: { call } }) => {
    const busy = written() || document.querySelector("dialog[open]") || (document.activeElement && typing(document.activeElement));
    if (!busy && location.pathname !== window.hotline.ahead.address(call)) window.hotline.ahead.preview(call);
  });
  document.addEventListener("phone:ringing", (event) => {
    const { call, task, direction } = event.detail;
    if (direction === "watch") return; // A supervisor in another agent's call stays where she is.
    if (direction === "out" && task) return; // The agent works on the task already.
    if (call) pop(call);
  });
  document.addEventListener("phone:answered", (event) => {
    if (event.detail.direction === "in" && event.detail.call) pop(event.detail.call);
  });
  document.addEventListener("phone:ended", () => refresh());
  document.addEventListener("click", (event) => { if (event.target.closest("[data-ring] a")) ring.hidden = true; });

  // After the call its page is asked for anew: the form of the result stands on it.
  const refresh = () => {
    if (document.querySelector("#main :is([data-pop], [data-lock])") && !written()) window.hotline.open(location.pathname);
  };
  const owed = () => document.dispatchEvent(new CustomEvent("desk:result-needed", {
    detail: Boolean(document.querySelector("#main [data-result-needed]")),
  }));

  // An open task is locked while it is open, and free as soon as it is left.
  let renew = null, leave = null;
  const send = (address) => fetch(address, { method: "POST", headers: { "X-CSRFToken": window.hotline.csrf() }, keepalive: true }).catch(() => null);
  const lock = () => {
    clearInterval(renew);
    const held = document.querySelector("#main [data-lock]");
    if (leave && leave !== held?.dataset.unlock) send(leave);
    leave = held?.dataset.unlock ?? null;
    if (!held) return;
    renew = setInterval(async () => {
      const answer = await send(held.dataset.lock);
      if (answer?.status !== 409) return;
      clearInterval(renew);
      const refused = document.querySelector("[data-refused]");
      refused.textContent = held.dataset.lost;
      refused.hidden = false;
    }, held.dataset.renew * 1000);
  };
  addEventListener("pagehide", () => { if (leave) send(leave); });

  const arrived = () => { lock(); owed(); };
  document.addEventListener("hotline:page", arrived);
  arrived();
})();
