// Plays a prompt beside its text, one at a time. Without this script the link opens the sound by itself.
(() => {
  const player = new Audio();
  let playing = null;

  const stop = () => {
    player.pause();
    if (playing) {
      playing.classList.remove("playing");
      playing.removeAttribute("aria-current");
    }
    playing = null;
  };

  player.addEventListener("ended", stop);
  player.addEventListener("error", stop);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-play]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const again = link === playing;
    stop();
    if (again) return;
    playing = link;
    link.classList.add("playing");
    link.setAttribute("aria-current", "true");
    player.src = link.href;
    player.play().catch(stop);
  });
})();
