// The telephone's dialogs: transfer and a third party, a call of her own, microphone and headset.
(() => {
  const kit = (window.phoneKit ??= {});
  kit.attach = () => {
    const { acts, ask, bar, part, show, audio } = kit;
    const dialog = (name) => bar.querySelector(`[data-dialog="${name}"]`);

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
