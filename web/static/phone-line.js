// The SIP side of the telephone: registered while this tab has it, one call at a time, which is always received.
// What the caller's channel reads from it: a call that is ended on purpose says so with cause 31, whatever
// else ends it has cut her off, and she is put through again (dialplans/agents.conf).
(() => {
  const kit = (window.phoneKit ??= {});
  const DONE = 'Reason: Q.850;cause=31;text="done"';
  const SILENT_ICE_MS = 3000;

  // `tell(event, detail)`: registered, unregistered, refused, ring, connecting, up, ended, held, media.
  kit.line = (tell) => {
    let ua = null, session = null, stream = null, iceTimer = null, meta = null;

    const start = (account) => {
      stop();
      JsSIP.debug.disable();
      const agent = new JsSIP.UA({
        sockets: [new JsSIP.WebSocketInterface(account.server)],
        uri: `sip:${account.user}@${account.realm}`,
        password: account.password,
        register_expires: 120,
        session_timers: false,
        connection_recovery_min_interval: 1,
        connection_recovery_max_interval: 3,
        user_agent: "hotline-12349 console",
      });
      agent.on("registered", () => agent === ua && tell("registered"));
      agent.on("unregistered", () => agent === ua && tell("unregistered"));
      agent.on("disconnected", () => agent === ua && tell("unregistered"));
      agent.on("registrationFailed", ({ response }) => agent === ua && tell(response ? "refused" : "unregistered"));
      agent.on("newRTCSession", ({ originator, session: fresh, request }) => {
        if (originator === "remote") rung(fresh, request);
      });
      ua = agent;
      agent.start();
    };

    const stop = () => {
      const old = ua;
      ua = null;
      old?.stop();
    };

    const rung = (fresh, request) => {
      const header = (name) => request.getHeader(`X-Hotline-${name}`) ?? "";
      if (session) return fresh.terminate({ status_code: 486 });
      session = fresh;
      meta = {
        call: header("Call"), language: header("Language"), why: header("Why"), task: header("Task"),
        direction: header("Direction") || "in", ring: Number(header("Ring")) || 20, answered: false, done: false,
      };
      const mine = meta;
      fresh.on("peerconnection", ({ peerconnection }) => watch(fresh, peerconnection));
      fresh.on("icecandidate", (event) => event.ready()); // The first candidate is enough on our own network.
      fresh.on("accepted", () => { mine.answered = true; tell("up", mine); });
      fresh.on("hold", ({ originator }) => originator === "local" && tell("held", true));
      fresh.on("unhold", ({ originator }) => originator === "local" && tell("held", false));
      fresh.on("getusermediafailed", () => tell("media", "no_microphone"));
      fresh.on("ended", ({ originator }) => over(fresh, mine.done ? "done" : originator === "remote" ? "caller" : "lost"));
      fresh.on("failed", ({ originator, cause }) => {
        over(fresh, mine.done ? "rejected" : originator === "remote" || cause === "Canceled" ? "missed" : "lost");
      });
      tell("ring", meta);
    };

    const watch = (fresh, connection) => {
      const sound = new MediaStream();
      connection.addEventListener("track", ({ track }) => { sound.addTrack(track); tell("sound", sound); });
      connection.addEventListener("iceconnectionstatechange", () => {
        clearTimeout(iceTimer);
        const state = connection.iceConnectionState;
        if (state === "disconnected") {
          tell("ice", false);
          // The exchange may have died without a word: its side would have answered by now.
          iceTimer = setTimeout(() => end(fresh), SILENT_ICE_MS);
        } else if (state === "connected" || state === "completed") tell("ice", true);
      });
    };

    const end = (fresh) => {
      try {
        if (!fresh.isEnded()) fresh.terminate();
      } catch {
        over(fresh, "lost");
      }
    };

    const over = (fresh, cause) => {
      if (fresh !== session) return;
      clearTimeout(iceTimer);
      for (const track of stream?.getTracks() ?? []) track.stop();
      const ended = meta;
      session = stream = meta = null;
      tell("ended", { ...ended, cause });
    };

    // May throw `{why}` when there is no microphone: the call goes on ringing.
    const answer = async () => {
      const fresh = session;
      if (!fresh || fresh.isEstablished() || meta.answering) return;
      meta.answering = true;
      try {
        const found = await kit.audio.microphone();
        if (fresh !== session) return found.getTracks().forEach((track) => track.stop());
        stream = found;
        fresh.answer({ mediaStream: stream, pcConfig: { iceServers: [] } });
        tell("connecting", meta);
      } catch (error) {
        if (meta) meta.answering = false;
        throw error;
      }
    };

    const hangUp = () => {
      if (!session) return;
      meta.done = true;
      const fresh = session;
      try {
        if (fresh.isEstablished()) fresh.terminate({ extraHeaders: [DONE] });
        else fresh.terminate({ status_code: 486 });
      } catch {
        over(fresh, "done");
      }
    };

    // The page is going away: the call is given back, not ended. One that only rings is not rejected either: with the
    // socket the telephone is gone, and the exchange lets the ring go without a word against the agent.
    const leave = () => {
      if (session && !session.isEstablished()) return ua?.transport?.disconnect();
      if (session) end(session);
      stop();
    };

    const quality = async () => {
      if (!session?.connection || !session.isEstablished()) return null;
      const all = [...(await session.connection.getStats()).values()];
      const heard = all.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
      const told = all.find((one) => one.type === "remote-inbound-rtp");
      if (!heard) return null;
      return {
        received: heard.packetsReceived ?? 0, lost: heard.packetsLost ?? 0, jitter: Math.round((heard.jitter ?? 0) * 1000),
        delay: Math.round((told?.roundTripTime ?? 0) * 1000), lossThere: told?.fractionLost ?? 0, level: heard.audioLevel ?? 0,
      };
    };

    return {
      start, stop, answer, hangUp, leave, quality,
      renew: (password) => {
        ua?.set("password", password);
        // At once: one that was refused is not tried again by itself, and another computer may have taken our place.
        if (ua?.isConnected()) ua.register();
      },
      registered: () => Boolean(ua?.isRegistered()),
      active: () => Boolean(session),
      up: () => Boolean(session?.isEstablished()),
      meta: () => meta,
      hold: (wanted) => (wanted ? session?.hold() : session?.unhold()),
      mute: (wanted) => (wanted ? session?.mute({ audio: true }) : session?.unmute({ audio: true })),
      press: (digit) => session?.sendDTMF(digit, { transportType: "RFC2833" }),
    };
  };
})();
