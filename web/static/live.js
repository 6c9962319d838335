// Keeps the board right by the server's stream of events. Every connection begins with the whole
// board, so nothing has to be remembered or repaired here: draw what comes, say when nothing does.
(() => {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  const banner = page.querySelector("[data-banner]");
  const say = page.querySelector("[data-say]");
  const silence = 12000; // The server speaks every 5 s; after this the line is dead, whatever the socket says.
  let source, watchdog, lostAt = null, fault = false, spoken = "";

  const show = () => {
    const time = lostAt && lostAt.toLocaleTimeString("sv", { timeZone: page.dataset.zone });
    const text = lostAt ? banner.dataset.lost.replace("{time}", time) : fault ? banner.dataset.fault : "";
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
    page.classList.toggle("stale", Boolean(text));
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
    const figures = [...page.querySelectorAll(".figure-value")].map((each) => each.textContent);
    const text = say.dataset.words.replace("{0}", figures[0]).replace("{1}", figures[1]).replace("{2}", figures[5]);
    if (spoken && spoken !== text) say.textContent = text;
    spoken = text;
  };

  const draw = async (target, html) => {
    // Morphing leaves what has not changed in its place: focus, selection and scroll position stay.
    await htmx.swap({ sourceElement: target, target, text: html, swap: "innerMorph" });
    if (target.dataset.part === "summary") announce();
    page.classList.add("connected"); // From now on what appears is new, and may show it.
  };

  const connect = () => {
    if (source && source.readyState !== EventSource.CLOSED) source.close();
    source = new EventSource(page.dataset.live);
    for (const target of page.querySelectorAll("[data-part]")) {
      source.addEventListener(target.dataset.part, (event) => { alive(); draw(target, event.data); });
    }
    source.addEventListener("clock", (event) => { window.hotline?.setClock(event.data); alive(); });
    source.addEventListener("fault", (event) => { fault = event.data === "1"; show(); });
    source.onerror = () => { lost(); if (source.readyState === EventSource.CLOSED) { clearTimeout(watchdog); later(); } };
    alive();
  };

  connect();
  // A browser allows six connections to a host; a page in the background gives its own back after a while.
  let resting;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.hidden) resting = setTimeout(() => { clearTimeout(watchdog); source.close(); }, 60000);
    else if (source.readyState === EventSource.CLOSED) connect();
  });
})();
