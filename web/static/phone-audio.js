// Microphone, headset and bell: chosen, tested, remembered. Everything of Web Audio is here.
(() => {
  const kit = (window.phoneKit ??= {});
  const kept = (name, otherwise) => localStorage.getItem(`phone.${name}`) ?? otherwise;
  const keep = (name, value) => localStorage.setItem(`phone.${name}`, value);
  let context = null;
  const audio = () => (context ??= new AudioContext());

  // Why there is no microphone, in the terms in which she can do something about it.
  const reason = (error) => {
    if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return "no_microphone";
    if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "no_device";
    return "busy_device";
  };

  const constraints = () => {
    const wanted = kept("processing", "1") === "1";
    const device = kept("microphone", "");
    return {
      echoCancellation: wanted, noiseSuppression: wanted, autoGainControl: wanted,
      ...(device ? { deviceId: { ideal: device } } : {}),
    };
  };

  const microphone = async () => {
    if (!navigator.mediaDevices) throw Object.assign(new Error("insecure"), { why: "insecure" });
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: constraints(), video: false });
    } catch (error) {
      throw Object.assign(error, { why: reason(error) });
    }
  };

  const toDevice = async (element, which) => {
    const device = kept(which, "");
    if (device && element.setSinkId) await element.setSinkId(device).catch(() => keep(which, ""));
  };

  // A tone through one of the outputs. Returns what ends it.
  const tone = async (element, which, steps, volume = 0.2) => {
    const ctx = audio();
    await ctx.resume();
    const out = ctx.createMediaStreamDestination();
    const gain = ctx.createGain();
    gain.connect(out);
    let at = ctx.currentTime;
    const sources = [];
    for (const [hz, seconds] of steps) {
      if (hz) {
        const source = ctx.createOscillator();
        const edge = ctx.createGain();
        source.frequency.value = hz;
        edge.gain.setValueAtTime(0, at);
        edge.gain.linearRampToValueAtTime(volume, at + 0.02);
        edge.gain.setValueAtTime(volume, at + seconds - 0.03);
        edge.gain.linearRampToValueAtTime(0, at + seconds);
        source.connect(edge).connect(gain);
        source.start(at);
        source.stop(at + seconds);
        sources.push(source);
      }
      at += seconds;
    }
    element.srcObject = out.stream;
    await toDevice(element, which);
    await element.play().catch(() => null);
    return { lasts: (at - ctx.currentTime) * 1000, stop: () => { for (const one of sources) one.disconnect(); element.srcObject = null; } };
  };

  // The bell rings until it is stopped. Two tones, quiet at first: she sits beside twenty others.
  const bell = (element) => {
    let rings = true, playing = null, count = 0, later = null;
    const ring = async () => {
      if (!rings) return;
      playing = await tone(element, "bell", [[660, 0.18], [0, 0.05], [880, 0.25]], Math.min(0.05 + 0.05 * count++, 0.3));
      if (!rings) return playing.stop();
      later = setTimeout(ring, 1800);
    };
    ring();
    return () => { rings = false; clearTimeout(later); playing?.stop(); };
  };

  // The level of a stream, 0 to 100, ten times a second, until it is stopped.
  const level = (stream, tell) => {
    const ctx = audio();
    ctx.resume();
    const source = ctx.createMediaStreamSource(stream);
    const meter = ctx.createAnalyser();
    meter.fftSize = 1024;
    source.connect(meter);
    const samples = new Float32Array(meter.fftSize);
    const timer = setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      // -60 dB is silence, -6 dB is loud.
      tell(Math.max(0, Math.min(100, Math.round(((20 * Math.log10(rms + 1e-6) + 60) / 54) * 100))));
    }, 100);
    return () => { clearInterval(timer); source.disconnect(); };
  };

  const fill = async (root) => {
    if (!navigator.mediaDevices) return;
    const found = await navigator.mediaDevices.enumerateDevices();
    for (const select of root.querySelectorAll("[data-device]")) {
      const kind = select.dataset.device === "microphone" ? "audioinput" : "audiooutput";
      const options = found.filter((one) => one.kind === kind && one.deviceId);
      select.replaceChildren(...options.map((one, place) => new Option(one.label || `${place + 1}`, one.deviceId)));
      select.disabled = !options.length;
      const wanted = kept(select.dataset.device, "");
      if (options.some((one) => one.deviceId === wanted)) select.value = wanted;
    }
  };

  kit.audio = { microphone, toDevice, tone, bell, level, fill, kept, keep };
})();
