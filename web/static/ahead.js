// The pop of a call that may ring here next is fetched while the caller still hears that she is put through, and is
// laid out and painted in a layer of its own that no eye, key, reader or search of the browser comes to: at the ring
// this layer is switched on, and that is all. Which calls these are comes by the stream; where it was late, or the
// exchange rings somebody else, nothing is lost: the pop is fetched at the ring, or never shown.
// Where no other telephone than hers can ring, the console says so with the pop, and it is shown before the ring.
(() => {
  const LINGERS_MS = 2000; // The news that it rings may come before the ring itself.
  const PATIENCE_MS = 5000;
  const SHOWN_MS = 15000; // Whoever is put through rings long before; and without the stream no news would take it away.
  const held = new Map(); // call → its page, or the promise of it
  const leaving = new Map();
  let shown = null; // Before its ring: { call, box, at: where the focus was }
  const main = () => document.getElementById("main");
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`ahead:${name}`, { detail }));

  const address = (call) => `/desk/calls/${encodeURIComponent(call)}`;
  const page = async (from, more = {}) => {
    const answer = await fetch(from, { headers: { "HX-Request": "true", ...more }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
    return answer?.ok ? answer.text().catch(() => "") : "";
  };

  const bring = async (call) => {
    const text = await page(address(call), { "Hotline-Ahead": "yes" });
    const told = text && new DOMParser().parseFromString(text, "text/html");
    const page_main = told && told.getElementById("main");
    if (!page_main) { held.delete(call); return null; }
    page_main.removeAttribute("data-now"); // By the time it rings it is later than that.
    const kept = { title: told.title, main: document.adoptNode(page_main), box: null };
    if (held.has(call)) { // Nobody has asked for it meanwhile, and it may still ring here.
      lay(kept);
      held.set(call, kept);
      if (kept.box.querySelector("[data-sure]")) tell("sure", { call });
    }
    return kept;
  };

  // What is laid out is no <main> yet, for there is one already; and it is the last thing of the page, so that
  // whatever names something by its id finds what is shown.
  const lay = (kept) => {
    const [box, page] = [document.createElement("div"), document.createElement("div")];
    box.className = "ahead";
    box.inert = true;
    box.setAttribute("aria-hidden", "true"); // For readers that do not know what inert is.
    page.className = kept.main.className;
    page.append(...kept.main.childNodes);
    box.append(page);
    document.body.append(box);
    kept.box = box;
    // The row that has just appeared goes on shining for seconds, and of a page that moves every frame comes late.
    for (const one of document.getAnimations()) if (one.animationName === "appear") one.finish();
  };
  const drop = (call) => {
    if (shown?.call === call) hide();
    held.get(call)?.box?.remove();
    held.delete(call);
  };

  // The page beneath it waits as it is: whatever comes, it is there again, with the focus where it was.
  const preview = (call) => {
    const { box } = held.get(call) ?? {};
    if (!box || shown) return;
    const mine = shown = { call, box, at: document.activeElement };
    setTimeout(() => { if (shown === mine) hide(); }, SHOWN_MS);
    main().inert = true;
    box.classList.add("ahead-here");
    tell("shown", { call });
  };
  const hide = () => {
    const { box, at } = shown;
    shown = null;
    box.classList.remove("ahead-here");
    main().inert = false;
    if (at?.isConnected && document.activeElement === document.body) at.focus({ preventScroll: true });
    tell("hidden");
  };
  document.addEventListener("phone:ringing", ({ detail: { call } }) => { if (shown && shown.call !== call) hide(); });
  document.addEventListener("hotline:page", () => { if (shown) hide(); }); // She went elsewhere by the bar.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown && !document.querySelector("dialog[open]")) hide();
  });

  document.addEventListener("stream:coming", ({ detail: calls }) => {
    for (const call of held.keys()) {
      if (!calls.includes(call) && !leaving.has(call)) leaving.set(call, setTimeout(() => { drop(call); leaving.delete(call); }, LINGERS_MS));
    }
    // Of several tabs it rings in the one that has the telephone.
    if (document.getElementById("phone")?.dataset.line !== "up") return;
    for (const call of calls) {
      clearTimeout(leaving.get(call));
      leaving.delete(call);
      if (!held.has(call)) held.set(call, bring(call));
    }
  });

  window.hotline = Object.assign(window.hotline ?? {}, {
    ahead: {
      address, page,
      has: (call) => Boolean(held.get(call)?.main),
      // Gives a page away, once; where it rings sooner than the page is there, the promise of it.
      take: (call) => {
        const kept = held.get(call);
        held.delete(call);
        if (shown?.call === call) shown = null; // It stays where it is.
        return kept;
      },
      preview,
      // Shows what is laid out, over the page that is there.
      show: ({ box }) => box.classList.add("ahead-here"),
      // Makes it the page's own: the <main> that takes the place of the present one.
      settle: ({ box, main }) => { main.append(...box.firstChild.childNodes); box.remove(); return main; },
    },
  });
})();
