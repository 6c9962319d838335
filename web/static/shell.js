// The console is one page that never navigates, because a telephone lives in it: htmx swaps <main> and
// morphs the bar. What a browser does by itself on a new page is done here: focus, title, scroll, language.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const refused = document.querySelector("[data-refused]");
  const here = document.querySelector("[data-here]");
  const isPage = (ctx) => Boolean(ctx?.sourceElement?._htmx?.boosted) || ctx?.target?.id === "main" || ctx?.target?.matches?.("[hx-history-elt]");
  const focusable = (one) => one.matches("a, button, input, select, textarea, summary, body, [tabindex]");
  const focusOn = (one, how = { preventScroll: true }) => {
    if (!focusable(one)) one.tabIndex = -1;
    one.focus(how);
  };
  let path = location.pathname + location.search;

  const arrived = (ctx) => {
    const main = byId("main");
    root.lang = main.dataset.lang;
    if (main.dataset.now) window.hotline?.setClock(main.dataset.now);
    byId("menu")?.removeAttribute("open");
    refused.hidden = true;
    const moved = path !== location.pathname + location.search;
    path = location.pathname + location.search;
    const wrong = main.querySelector("[role=alert], [aria-invalid=true]");
    const anchor = ctx?.request?.anchor && byId(ctx.request.anchor);
    const asked = main.querySelector("[autofocus]");
    const heading = main.querySelector("h1");
    if (!anchor && moved) scrollTo(0, 0);
    // A reader is told where it is: the fault first, then what was asked for, then the page's heading.
    const goal = wrong || anchor || asked || heading || main;
    focusOn(goal, { preventScroll: !wrong && !anchor });
    here.textContent = ctx?.title || document.title; // htmx sets the title itself, a moment later
    document.dispatchEvent(new CustomEvent("hotline:page", { detail: { path, moved } }));
    showPlace();
  };

  // Where the bar is too narrow for all places, the present one is in sight.
  const showPlace = () => {
    const place = document.querySelector(".nav [aria-current]");
    const nav = place?.closest(".nav");
    if (nav) nav.scrollLeft = place.offsetLeft - nav.offsetLeft - (nav.clientWidth - place.clientWidth) / 2;
  };
  showPlace();

  document.addEventListener("htmx:before:request", (event) => {
    if (isPage(event.detail.ctx)) byId("main").setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:finally:request", () => byId("main").removeAttribute("aria-busy"));

  document.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (!isPage(ctx)) return;
    if (ctx.quiet) document.dispatchEvent(new CustomEvent("hotline:page", { detail: { path, moved: false } }));
    else arrived(ctx);
  });

  // A fault or a refused deed leaves what is on the screen and says why; a page that is not there is shown as such.
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    const { status, raw } = ctx.response;
    const asked = ctx.request.method === "GET" || raw.redirected;
    const formAgain = [409, 413, 422].includes(status);
    if (isPage(ctx) && (formAgain || (asked && status < 500 && status !== 429))) {
      if (formAgain) ctx.push = "false"; // Its address takes only forms: a reload there would be refused.
      return;
    }
    Object.assign(ctx, { swap: "none", selectOOB: "", push: "false" });
    const told = new DOMParser().parseFromString(ctx.text, "text/html").querySelector("#main");
    if (!isPage(ctx) || !told) return;
    refused.textContent = [...told.querySelectorAll("h1, h1 + p")].map((each) => each.textContent).join(" · ");
    refused.hidden = false;
  });
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (!isPage(ctx) || ctx.response) return;
    refused.textContent = document.querySelector("[data-banner]").dataset.unreached;
    refused.hidden = false;
  });

  // An anchor of the page makes an entry of the history without a mark: htmx would not come back to it.
  addEventListener("hashchange", () => { if (!history.state?.htmx) history.replaceState({ htmx: true }, ""); });
  if (!history.state?.htmx) history.replaceState({ htmx: true }, "");

  // Colours change at once and in the background: nothing that was typed is lost for it.
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-switch]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    root.dataset.theme = event.submitter.value;
    for (const each of form.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === event.submitter));
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)), redirect: "manual" }).catch(() => null);
  });

  // What lies above and below the page at this width: the banners stay under it, and nothing is scrolled behind it.
  const bars = [byId("top"), byId("phone")].filter(Boolean);
  const measure = () => {
    const height = (edge) => bars.reduce((sum, bar) => {
      const { position, bottom } = getComputedStyle(bar);
      const below = position === "fixed" && bottom === "0px";
      return sum + ((edge === "below") === below && position !== "static" ? Math.ceil(bar.getBoundingClientRect().height) : 0);
    }, 0);
    for (const edge of ["above", "below"]) root.style.setProperty(`--${edge}`, `${height(edge)}px`);
  };
  if (bars.length) {
    const watch = new ResizeObserver(measure);
    for (const bar of bars) watch.observe(bar);
  }

  // A menu closes by Escape and by a click elsewhere, as menus do.
  document.addEventListener("keydown", (event) => {
    const menu = byId("menu");
    if (event.key !== "Escape" || !menu?.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const menu = byId("menu");
    if (menu?.open && !menu.contains(event.target)) menu.open = false;
  });

  // Does what nobody waits for when the picture that is being drawn stands on the screen.
  const FRAMES_MS = 50; // From its making to a screen of 60 Hz: up to three.
  const behind = (work) => {
    let open = true;
    const once = () => { if (open) { open = false; work(); } };
    requestAnimationFrame(() => setTimeout(once, FRAMES_MS));
    setTimeout(once, 200); // A tab that nobody looks at has no frames.
  };
  const DEEDS = ["keydown", "pointerdown", "click", "submit"];
  const leave = (event) => {
    if (event.target.closest?.("#phone, #top, dialog")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  // Other scripts of the page (the telephone) lead to a page by this.
  const page = { target: "#main", select: "#main", selectOOB: "#top:outerMorph" };
  window.hotline = Object.assign(window.hotline ?? {}, {
    csrf: () => document.querySelector("meta[name=csrf-token]").content,
    open: (address) => htmx.ajax("GET", address, { ...page, swap: "outerHTML show:none", push: "true" }),
    behind,
    // A page that is there already is drawn with the next frame. What is laid out already covers the present page and
    // takes its place behind that; until then neither takes a key or a click, which was meant for what she saw.
    draw: (address, kept) => new Promise((done) => {
      const { ahead } = window.hotline;
      if (kept.box) ahead.show(kept);
      else byId("main").replaceWith(kept.main);
      for (const deed of DEEDS) addEventListener(deed, leave, true);
      behind(() => {
        for (const deed of DEEDS) removeEventListener(deed, leave, true);
        if (kept.box) byId("main").replaceWith(ahead.settle(kept));
        document.title = kept.title;
        history.pushState({ htmx: true }, "", address); // Takes longer than the page itself.
        htmx.process(kept.main);
        arrived({ title: kept.title });
        done();
      });
    }),
    // Brings what is shown up to date where it differs: focus and what was typed stay.
    renew: async (text) => {
      const at = document.activeElement;
      await htmx.swap({ sourceElement: byId("main"), ...page, target: byId("main"), swap: "outerMorph", text, quiet: true });
      if (at?.isConnected && !focusable(at)) focusOn(at); // The answer knows nothing of the heading's focus.
    },
  });
})();
