// Keeps every page right by the server's stream of events: one for the life of the tab, whatever page is shown.
// Every connection begins with the whole board, so nothing has to be remembered or repaired: draw what comes,
// say when nothing does. A page that is swapped in gets the newest of what has come.
(() => {
  const shell = document.querySelector("[data-live]");
  if (!shell) return;
  const banner = shell.querySelector("[data-banner]");
  const say = shell.querySelector("[data-say]");
  const silence = 12000; // The server speaks every 5 s; after this the line is dead, whatever the socket says.
  const parts = ["strip", "summary", "calls", "orders", "tasks", "waiting"];
  const newest = {};
  let source, watchdog, lostAt = null, fault = false, spoken = "";

  const show = () => {
    const time = lostAt && lostAt.toLocaleTimeString("sv", { timeZone: shell.dataset.zone });
    const text = lostAt ? banner.dataset.lost.replace("{time}", time) : fault ? banner.dataset.fault : "";
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    document.body.classList.toggle("stale", Boolean(text));
  };

  const alive = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => { source.close(); lost(); later(); }, silence);
    if (lostAt) { lostAt = null; show(); }
  };

  const lost = () => {
    lostAt ??= new Date();
    show();
  };

  const later = () => setTimeout(async () => {
    // A refusal has no status in an EventSource, so it is asked for: a session that has ended leads to the log-in.
    const answer = await fetch(document.body.dataset.alive, { redirect: "manual" }).catch(() => null);
    if (answer && answer.status === 401) location.assign(document.body.dataset.login);
    else if (!document.hidden) connect();
  }, 2000);

  const announce = () => {
    const text = document.querySelector("[data-part=strip] [data-words]")?.dataset.words ?? "";
    if (spoken && spoken !== text) say.textContent = text;
    spoken = text;
  };

  const draw = async (part) => {
    const target = document.querySelector(`[data-part="${part}"]`);
    if (!target || newest[part] === undefined) return;
    // Morphing leaves what has not changed in its place: focus, selection and scroll position stay.
    await htmx.swap({ sourceElement: target, target, text: newest[part], swap: "innerMorph" });
    if (part === "strip") announce();
    shell.classList.add("connected");
    requestAnimationFrame(() => target.classList.add("fresh")); // From now on what appears is new, and may show it.
  };

  const connect = () => {
    if (source && source.readyState !== EventSource.CLOSED) source.close();
    source = new EventSource(shell.dataset.live);
    for (const part of parts) {
      source.addEventListener(part, (event) => { alive(); newest[part] = event.data; draw(part); });
    }
    source.addEventListener("clock", (event) => { window.hotline?.setClock(event.data); alive(); });
    // What is for the telephone's script alone.
    source.addEventListener("phone", (event) => {
      document.dispatchEvent(new CustomEvent("stream:phone", { detail: JSON.parse(event.data) }));
    });
    source.addEventListener("coming", (event) => {
      document.dispatchEvent(new CustomEvent("stream:coming", { detail: JSON.parse(event.data) }));
    });
    source.addEventListener("fault", (event) => { fault = event.data === "1"; show(); });
    source.onerror = () => { lost(); if (source.readyState === EventSource.CLOSED) { clearTimeout(watchdog); later(); } };
    alive();
  };

  let spokenIn = document.documentElement.lang;
  document.addEventListener("hotline:page", () => {
    if (document.documentElement.lang !== spokenIn) {
      // The stream speaks the language in which it was opened.
      spokenIn = document.documentElement.lang;
      for (const part of parts) delete newest[part];
      connect();
    } else for (const part of parts) draw(part);
  });

  connect();
  // A browser allows six connections to a host; a page in the background gives its own back after a while.
  let resting;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.hidden) resting = setTimeout(() => { clearTimeout(watchdog); source.close(); }, 60000);
    else if (source.readyState === EventSource.CLOSED) connect();
  });
})();
