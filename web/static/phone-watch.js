// A supervisor's telephone in an agent's call, and what the agent sees of it. How it is comes from the server:
// the exchange moves the channel, and this page only asks for it.
(() => {
  const kit = (window.phoneKit ??= {});
  const WAYS = ["listen", "whisper", "join", "take_over"];

  kit.watch = ({ acts, ask, words, key, show, find, say, change, emit }) => {
    const chip = find("[data-watched]");
    const chipWords = find("[data-watched-words]");
    const enter = (wish) => ask("watch", wish);
    for (const how of WAYS) acts[`watch-${how}`] = () => enter({ how });
    document.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-watch], [data-watch-call]");
      if (!button) return;
      event.preventDefault();
      button.disabled = true; // A second click would find her engaged by the first.
      const { watch: agent = "", watchCall: call = "" } = button.dataset;
      await enter({ agent, call, how: "listen" });
      button.disabled = false;
    });

    let told = "";
    return {
      // What the server says has changed.
      stands(mine, call) {
        const now = mine.watched || "";
        // Not only shown: whoever looks elsewhere hears it, and a call that was taken out of her hand is explained.
        if (now && now !== told) say(words[`watched_${now}`]);
        told = now;
        if (call?.direction === "watch" && mine.watching === "take_over") {
          change({ direction: "in" });
          emit("answered");
        }
      },
      draw(mine, call) {
        const inside = call?.direction === "watch" && call.stage === "up";
        for (const how of WAYS) {
          show(key(`watch-${how}`), inside);
          if (how !== "take_over") key(`watch-${how}`)?.setAttribute("aria-pressed", String(mine.watching === how));
        }
        show(chip, mine.watched);
        chipWords.textContent = mine.watched ? words[`watched_${mine.watched}`] : "";
        return inside ? `${mine.whom}: ${words[`watching_${mine.watching}`] ?? ""}` : "";
      },
    };
  };
})();
