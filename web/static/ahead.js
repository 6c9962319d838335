// The pop of a call that may ring here next is fetched while the caller still hears that she is put through, and is
// kept out of sight: at the ring it only has to be drawn. Which calls these are comes by the stream; where it was
// late, or the exchange rings somebody else, nothing is lost: the pop is fetched at the ring, or never shown.
(() => {
  const LINGERS_MS = 2000; // The news that it rings may come before the ring itself.
  const PATIENCE_MS = 5000;
  const held = new Map(); // call → its page, or the promise of it
  const leaving = new Map();

  const address = (call) => `/desk/calls/${encodeURIComponent(call)}`;
  const page = async (from, more = {}) => {
    const answer = await fetch(from, { headers: { "HX-Request": "true", ...more }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
    return answer?.ok ? answer.text().catch(() => "") : "";
  };

  const bring = async (call) => {
    const text = await page(address(call), { "Hotline-Ahead": "yes" });
    const told = text && new DOMParser().parseFromString(text, "text/html");
    const main = told && told.getElementById("main");
    if (!main) { held.delete(call); return null; }
    main.removeAttribute("data-now"); // By the time it rings it is later than that.
    const kept = { title: told.title, main: document.adoptNode(main) };
    if (held.has(call)) held.set(call, kept);
    return kept;
  };

  document.addEventListener("stream:coming", ({ detail: calls }) => {
    for (const call of held.keys()) {
      if (!calls.includes(call) && !leaving.has(call)) leaving.set(call, setTimeout(() => { held.delete(call); leaving.delete(call); }, LINGERS_MS));
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
      take: (call) => { const kept = held.get(call); held.delete(call); return kept; },
    },
  });
})();
