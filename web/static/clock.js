// Moves the durations on the page, by the server's clock, and keeps the session open while somebody works.
(() => {
  let ahead = 0; // How far the server's clock is ahead of this computer's, in ms.
  const unit = (value, name) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const two = (value) => String(value).padStart(2, "0");

  const running = (s) => {
    const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
    return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
  };
  const age = (s) => {
    const minutes = Math.floor(s / 60);
    if (!minutes) return `< ${unit(1, "minute")}`;
    if (minutes < 60) return unit(minutes, "minute");
    return minutes < 48 * 60 ? unit(Math.floor(minutes / 60), "hour") : unit(Math.floor(minutes / 1440), "day");
  };

  const tick = () => {
    const now = Date.now() + ahead;
    for (const each of document.querySelectorAll("[data-since]")) {
      const s = Math.max(0, Math.floor((now - Date.parse(each.dataset.since)) / 1000));
      const text = each.dataset.form === "running" ? running(s) : age(s);
      if (each.textContent !== text) each.textContent = text;
    }
  };

  window.hotline = Object.assign(window.hotline ?? {}, { setClock: (iso) => { ahead = Date.parse(iso) - Date.now(); } });
  const drawn = document.querySelector("[data-now]");
  if (drawn) window.hotline.setClock(drawn.dataset.now);
  setInterval(tick, 1000);

  // An open board is not a person; a key or the mouse is. At most one request a minute.
  let asked = Date.now();
  const atWork = () => {
    if (Date.now() - asked < 60000) return;
    asked = Date.now();
    fetch(document.body.dataset.alive, { redirect: "manual" }).catch(() => null);
  };
  for (const sign of ["keydown", "pointerdown", "pointermove"]) addEventListener(sign, atWork, { passive: true });
})();
