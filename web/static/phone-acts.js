// The telephone's dialogs: transfer and a third party, a call of her own, microphone and headset.
(() => {
  const kit = (window.phoneKit ??= {});
  kit.attach = () => {
    const { acts, ask, bar, part, show, audio } = kit;
    const dialog = (name) => bar.querySelector(`[data-dialog="${name}"]`);

    // Transfer, a third party, a call of her own.
    const give = dialog("transfer");
    const problem = give.querySelector("[data-problem]");
    const number = give.querySelector("[data-number]");
    const target = give.querySelector("[data-target]");
    const open = async (dialing) => {
      problem.hidden = true;
      number.value = "";
      for (const [selector, yes] of [["[data-title-transfer]", !dialing], ["[data-title-dial]", dialing], ["[data-targets]", !dialing],
        ["[data-act=do-transfer]", !dialing], ["[data-act=do-consult]", !dialing], ["[data-act=do-dial]", dialing]]) show(give.querySelector(selector), yes);
      give.setAttribute("aria-labelledby", dialing ? "phone-dial-title" : "phone-transfer-title");
      if (!dialing) {
        const found = (await ask("targets")) ?? [];
        target.replaceChildren(new Option("—", ""), ...found.map((one) => new Option(`${one.free ? "● " : "○ "}${one.name}`, one.value)));
      }
      give.showModal();
      (dialing ? number : target).focus();
    };
    const wished = (path, wish) => ask(path, wish, (text, code) => {
      problem.textContent = text;
      problem.hidden = !give.open;
      // The answer to her first press was lost on its way: the keys that lead out of it are shown.
      if (code === "asked") kit.change({ third: true });
    });
    // One press at a time: a double click, or a key that is held down, would ask two in.
    let under = false;
    const once = (deed) => async (...wish) => {
      if (under) return null;
      under = true;
      try { return await deed(...wish); } finally { under = false; }
    };
    const pass = once(async (deed) => {
      const [kind, id] = target.value ? target.value.split(":") : ["outside", number.value.trim()];
      if (!id) return number.focus();
      // The exchange hangs up on her as soon as the caller has gone: this is no call that was cut off.
      if (deed === "transfer") kit.change({ passed: true });
      const done = await wished("pass", { deed, kind, target: id });
      if (done) give.close();
      else if (deed === "transfer") kit.change({ passed: false });
      if (done && deed === "consult") kit.change({ third: true, merged: false });
    });
    const then = once(async (deed, news) => { if (deed === "complete") kit.change({ passed: true }); if (await ask("then", { deed })) kit.change(news); else if (deed === "complete") kit.change({ passed: false }); });
    const dial = once(async (whom) => { const done = await wished("dial", whom); if (done) { give.close(); kit.stand(done); } return Boolean(done); });
    acts.transfer = () => open(false);
    acts["dial-open"] = () => open(true);
    acts["do-transfer"] = () => pass("transfer");
    acts["do-consult"] = () => pass("consult");
    acts["do-dial"] = () => dial({ number: number.value.trim() });
    acts.merge = () => then("merge", { merged: true });
    acts.complete = () => then("complete", {});
    acts.back = () => then("back", { third: false, merged: false });
    number.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); if (!event.repeat) acts[give.querySelector("[data-act=do-dial]").hidden ? "do-transfer" : "do-dial"](); }
    });
    number.addEventListener("input", () => { if (number.value) target.value = ""; });
    window.phone.dial = dial;
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-dial-task], [data-dial-call], [data-dial-number], [data-dial-visit]");
      if (!button) return;
      event.preventDefault();
      const { dialCall: call = "", dialNumber: written = "" } = button.dataset;
      // A number's button stands on the page of a task, or on her card: the call is the task's, and hers.
      const task = button.dataset.dialTask ?? button.closest("[data-of-task]")?.dataset.ofTask ?? "";
      const elder = button.closest("[data-of-elder]")?.dataset.ofElder ?? "";
      // On the page of a visit every call to her belongs to it.
      const visit = button.dataset.dialVisit ?? button.closest("[data-visit]")?.dataset.visit ?? "";
      dial({ task, call, number: written, visit, elder });
    });

    // Microphone and headset.
    const settings = dialog("settings");
    let stopTest = null;
    const endTest = () => { stopTest?.(); stopTest = null; };
    acts.settings = async () => { settings.showModal(); await audio.fill(settings); };
    acts["test-mic"] = async () => {
      endTest();
      const words = settings.querySelector("[data-level-words]");
      try {
        const stream = await audio.microphone();
        await audio.fill(settings);
        kit.alarm("");
        let heard = 0;
        words.textContent = words.dataset.silent;
        const stopLevel = audio.level(stream, (value) => {
          settings.querySelector("[data-level]").value = value;
          if (value > 15 && ++heard === 3) words.textContent = words.dataset.heard;
        });
        stopTest = () => { stopLevel(); for (const track of stream.getTracks()) track.stop(); settings.querySelector("[data-level]").value = 0; };
      } catch (error) {
        kit.alarm(error.why);
      }
    };
    acts["test-ear"] = () => audio.tone(part.bell, "ear", [[440, 0.4], [0, 0.1], [660, 0.4]]);
    settings.addEventListener("close", endTest);
    settings.addEventListener("change", (event) => {
      const device = event.target.dataset.device;
      if (device) audio.keep(device, event.target.value);
      if (device === "microphone" && stopTest) acts["test-mic"]();
      if (device === "ear") audio.toDevice(part.sound, "ear");
      if ("autoAnswer" in event.target.dataset) audio.keep("auto", event.target.checked ? "1" : "0");
      if ("processing" in event.target.dataset) audio.keep("processing", event.target.checked ? "1" : "0");
    });
    settings.querySelector("[data-auto-answer]").checked = audio.kept("auto", "0") === "1";
    settings.querySelector("[data-processing]").checked = audio.kept("processing", "1") === "1";
    navigator.mediaDevices?.addEventListener?.("devicechange", () => settings.open && audio.fill(settings));
  };
})();
