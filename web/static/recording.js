// Plays the recording of a call: from any place, at any speed, from each line of its course. One listener for all
// pages; nothing is fetched before somebody wants to hear, and then only the part from there on (Range).
(() => {
  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  const of = (element) => element.closest("[data-recording]");
  const sound = (box) => box.querySelector("[data-sound]");

  const draw = (box) => {
    const player = sound(box), whole = Number(box.dataset.seconds), at = box.querySelector("[data-at]");
    const now = box.wanted ?? player.currentTime;
    at.value = now;
    at.setAttribute("aria-valuetext", clock(now));
    box.querySelector("[data-time]").textContent = `${clock(now)} / ${clock(whole)}`;
    box.querySelector("[data-played]")?.setAttribute("width", whole ? (400 * Math.min(now, whole)) / whole : 0);
    const words = box.querySelector("[data-play-words]");
    words.textContent = player.paused ? words.dataset.play : words.dataset.pause;
    box.querySelector("[data-toggle]").setAttribute("aria-pressed", String(!player.paused));
  };
  // Before the sound is known a place is only remembered; it is gone to when the first bytes are there.
  const seek = (box, second) => {
    const player = sound(box);
    if (player.readyState) { player.currentTime = second; box.wanted = null; }
    else box.wanted = second;
    draw(box);
  };
  const play = (box) => {
    for (const other of document.querySelectorAll("[data-recording] [data-sound]")) if (other !== sound(box)) other.pause();
    sound(box).playbackRate = Number(box.querySelector("[data-speed]").value);
    sound(box).play().catch(() => null);
  };

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle && of(toggle)) {
      const box = of(toggle);
      if (sound(box).paused) play(box);
      else sound(box).pause();
    }
    const from = event.target.closest("[data-seek]");
    const box = from && document.querySelector(`[data-recording="${CSS.escape(from.dataset.of)}"]`);
    if (box) { seek(box, Number(from.dataset.seek)); play(box); }
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-recording] [data-at]")) seek(of(event.target), Number(event.target.value));
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-recording] [data-speed]")) sound(of(event.target)).playbackRate = Number(event.target.value);
  });
  // Events of media do not bubble; they can be caught on their way down.
  for (const name of ["timeupdate", "play", "pause", "ended", "seeked"]) {
    document.addEventListener(name, (event) => { if (event.target.matches?.("[data-recording] [data-sound]")) draw(of(event.target)); }, true);
  }
  document.addEventListener("loadedmetadata", (event) => {
    const box = event.target.matches?.("[data-recording] [data-sound]") && of(event.target);
    if (box && box.wanted != null) seek(box, box.wanted);
  }, true);
  document.addEventListener("error", (event) => {
    const box = event.target.matches?.("[data-recording] [data-sound]") && of(event.target);
    if (box) box.querySelector("[data-gone]").hidden = false;
  }, true);
})();
