// The telephone in the page: shows how she stands and the call she has, and does what its keys say.
(() => {
  const bar = document.querySelector("#phone");
  if (!bar) return;
  const kit = window.phoneKit;
  const words = JSON.parse(bar.dataset.words);
  const find = (selector) => bar.querySelector(selector);
  const root = bar.dataset.root;
  const part = {
    state: find(".phone-state"), stateWords: find("[data-state-words]"), stateTime: find("[data-state-time]"),
    presence: find("[data-presence]"), wrap: find("[data-wrap]"), call: find("[data-call]"),
    callWords: find("[data-call-words]"), callWhy: find("[data-call-why]"), callTime: find("[data-call-time]"),
    note: find("[data-note]"), alert: find("[data-alert]"), alertWords: find("[data-alert-words]"), pad: find("[data-pad]"),
    quality: find("[data-quality]"), qualityWords: find("[data-quality-words]"), sound: find("[data-sound]"), bell: find("[data-bell]"),
  };
  // What the server says of her, what the line says of the call, and what stands in the way.
  let mine = JSON.parse(bar.dataset.start);
  let ahead = Date.parse(mine.now) - Date.now();
  let serial = 0, asking = false, elsewhere = false;
  let call = null, stopBell = null, alerted = "", renewal = null, trouble = 0, wanted = null, resultNeeded = false;
  const acts = {};

  const key = (act) => find(`[data-act="${act}"]`);
  const show = (element, yes) => { if (element) element.hidden = !yes; };
  const say = (text) => { part.note.textContent = text; };
  // A reader says a live region again whenever it is written, changed or not.
  const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const two = (value) => String(value).padStart(2, "0");
  const clock = (s) => `${Math.floor(s / 60)}:${two(Math.floor(s % 60))}`;
  const now = () => Date.now() + ahead;
  const emit = (name, detail) => document.dispatchEvent(new CustomEvent(`phone:${name}`, { detail }));

  const ask = async (path, wish = null, refused = say) => {
    const answer = await fetch(root + path, {
      method: wish === null ? "GET" : "POST", redirect: "manual", cache: "no-store", keepalive: path === "presence",
      headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("meta[name=csrf-token]")?.content ?? bar.dataset.csrf },
      body: wish === null ? undefined : JSON.stringify(wish),
    }).catch(() => null);
    if (answer?.status === 401) { location.assign(document.body.dataset.login); return null; }
    const found = await answer?.json().catch(() => null);
    if (!answer?.ok) { refused(found?.text ?? words.away, found?.error); return null; }
    return found;
  };

  const watch = kit.watch({ acts, ask, words, key, show, find, say: (text) => say(text), change: (news) => { if (call) Object.assign(call, news); draw(); },
    emit: (name) => emit(name, detail()) });

  // The pop of a call that can ring nowhere else is shown before it does.
  document.addEventListener("ahead:shown", () => say(words.coming));
  document.addEventListener("ahead:hidden", () => say(""));

  // How she stands.

  const stand = (fresh) => {
    if (!fresh?.state) return;
    ahead = Date.parse(fresh.now) - Date.now();
    if (serial && !asking && fresh.serial > serial && tab.owned()) replaced();
    const changed = ["state", "reason", "since", "until", "following", "call", "watched", "watching"].some((name) => mine[name] !== fresh[name]);
    mine = fresh;
    draw();
    watch.stands(mine, call);
    if (changed) emit("presence", { state: mine.state, reason: mine.reason, since: mine.since, until: mine.until, next: mine.following });
  };
  const chosen = () => {
    const code = mine.following ?? (mine.state === "pause" ? mine.reason : mine.state === "offline" ? "offline" : "ready");
    return code === "ready" || code === "offline" ? code : `pause:${code}`;
  };
  const stateWords = () => {
    if (mine.state === "pause") {
      const option = [...part.presence.options].find((one) => one.value === `pause:${mine.reason}`);
      return mine.reason === "missed" ? words.missed : option?.text ?? words.pause;
    }
    return words[mine.reason] ?? words[mine.state];
  };

  const draw = () => {
    part.state.dataset.state = mine.state;
    // In a call the call's own words are said aloud, and the state's, which would say the same again, are not.
    part.stateWords.ariaLive = call ? "off" : "polite";
    write(part.stateWords, stateWords());
    if (document.activeElement !== part.presence) part.presence.value = chosen();
    show(part.wrap, mine.state === "wrap_up" && !call);
    const stage = call?.stage;
    show(part.call, call);
    bar.dataset.stage = stage ?? "";
    show(key("answer"), stage === "ringing");
    show(key("reject"), stage === "ringing");
    const guest = call?.direction === "watch"; // In another agent's call: it is not hers to be held or passed on.
    for (const act of ["hold", "keypad"]) show(key(act), call && stage !== "ringing" && !guest);
    for (const act of ["mute", "hangup"]) show(key(act), call && stage !== "ringing");
    show(key("transfer"), stage === "up" && !call.third && !guest);
    const inside = watch.draw(mine, call);
    const alone = mine.reason === "third_gone"; // Whom she asked did not answer, or has left.
    for (const act of ["complete", "merge", "back"]) show(key(act), stage === "up" && call.third && !(act === "merge" && call.merged) && !(alone && act !== "back"));
    show(part.pad, stage === "up" && call.pad);
    key("hold").setAttribute("aria-pressed", String(Boolean(call?.held)));
    key("mute").setAttribute("aria-pressed", String(Boolean(call?.muted)));
    key("keypad").setAttribute("aria-expanded", String(Boolean(call?.pad)));
    key("dial-open").disabled = Boolean(call);
    if (call) {
      write(part.callWords, inside || (call.held ? words.hold : call.third ? (alone ? words.third_gone : call.merged ? words.together : words.consulting) : call.muted ? words.muted : stage === "ringing" ? words.unknown_caller
        : call.direction !== "in" && stage !== "up" ? words.dialing : words.talking));
      part.callWhy.textContent = ["emergency", "colleague"].includes(call.why) ? words[call.why] : "";
      show(part.callWhy, part.callWhy.textContent);
    }
    tick();
  };
  // Not for ever: the server knows whether somebody has asked for it, or this page.
  const prolong = async () => stand(await ask("extend?by_itself=1", {}));
  const tick = () => {
    const since = Date.parse(mine.since ?? "");
    if (mine.state === "wrap_up" && mine.until) {
      const left = Math.max(0, (Date.parse(mine.until) - now()) / 1000);
      part.stateTime.textContent = clock(Math.ceil(left));
      if (resultNeeded && left < 5 && left > 0) prolong();
    } else part.stateTime.textContent = Number.isNaN(since) || mine.state === "offline" ? "" : clock(Math.max(0, (now() - since) / 1000));
    if (call) {
      const s = (Date.now() - call.since) / 1000;
      part.callTime.textContent = call.stage === "ringing" ? words.seconds.replace("{0}", Math.max(0, Math.ceil(call.ring - s))) : clock(s);
    }
  };
  setInterval(tick, 1000);

  const alarm = (why) => {
    alerted = why;
    show(part.alert, why);
    part.alertWords.textContent = why ? words[why] : "";
    show(key("take"), ["elsewhere", "taken", "busy_elsewhere", "other_computer"].includes(why));
    show(key("microphone"), ["no_microphone", "no_device", "busy_device"].includes(why));
    for (const one of bar.querySelectorAll("[data-help], [data-how]")) show(one, why === "no_microphone");
  };

  // The line.

  const line = kit.line((what, detail) => on[what]?.(detail));
  const detail = () => ({ call: call?.call ?? mine.call, direction: call?.direction ?? "", task: call?.task ?? "", queue: "", language: call?.language ?? "", why: call?.why ?? "" });
  const on = {
    registered: () => {
      trouble = 0;
      bar.dataset.line = "up";
      if (alerted === "away" || alerted === "connecting") alarm("");
      say(words.connected);
      if (wanted) { const wish = wanted; wanted = null; choose(wish); }
    },
    unregistered: () => { bar.dataset.line = "down"; if (tab.owned() && !elsewhere) alarm("away"); },
    // The account has run out, or the exchange has lost it: a new one is asked for, more and more seldom.
    refused: () => { if (elsewhere) return; bar.dataset.line = "down"; alarm("away"); setTimeout(connect, Math.min(1000 * 2 ** trouble++, 15000)); },
    ring: (meta) => {
      const mine = call = { ...meta, stage: "ringing", since: Date.now() };
      const rings = () => call === mine && call.stage === "ringing";
      emit("ringing", detail());
      if (meta.direction !== "in") { acts.answer(); draw(); return; }
      // Who it is comes first: bell and keys follow two frames later, which nobody notices.
      window.hotline.behind(() => { if (rings()) { stopBell = kit.audio.bell(part.bell); draw(); } });
      if (kit.audio.kept("auto", "0") === "1") setTimeout(() => rings() && acts.answer(), 1000);
    },
    connecting: () => { quiet(); if (call) { call.stage = "connecting"; draw(); } },
    up: () => {
      quiet();
      if (!call) return;
      call.stage = "up";
      call.since = Date.now();
      draw();
      emit("answered", detail());
    },
    sound: (stream) => { part.sound.srcObject = stream; kit.audio.toDevice(part.sound, "ear"); part.sound.play().catch(() => null); },
    held: (yes) => { if (call) { call.held = yes; draw(); } },
    ice: (good) => { part.quality.classList.toggle("phone-cut", !good); },
    media: (why) => alarm(why),
    ended: (meta) => {
      quiet();
      const cause = call?.passed ? "transferred" : mine.watched === "take_over" ? "taken" : meta.cause;
      const told = { ...detail(), cause };
      call = null;
      part.sound.srcObject = null;
      show(part.quality, false);
      say(words[`ended_${cause}`] ?? "");
      draw();
      if (elsewhere) rest();
      emit("ended", told);
      sync();
    },
  };
  const quiet = () => { stopBell?.(); stopBell = null; };
  const sync = async () => stand(await ask("state"));

  // The newest account is the only one: she has it on another computer, or in another browser, now. The call that she
  // has here goes on to its end, for stopping the line would end it.
  const replaced = () => { serial = 0; elsewhere = true; clearTimeout(renewal); alarm("other_computer"); if (!line.active()) rest(); };
  const rest = () => { line.stop(); bar.dataset.line = "down"; };
  const issue = async () => {
    asking = true;
    const account = await ask("line", {});
    asking = false;
    // The request counts even where the exchange did not take it in time; of one whose answer is lost nobody knows.
    serial = account?.serial ?? 0;
    return account?.user ? account : null;
  };
  const connect = async () => {
    clearTimeout(renewal);
    if (!tab.owned() || elsewhere) return;
    if (alerted !== "away") alarm("connecting");
    const account = await issue();
    if (!account) { alarm("away"); renewal = setTimeout(connect, Math.min(1000 * 2 ** trouble++, 15000)); return; }
    if (line.active()) {
      line.renew(account.password);
      if (line.registered()) on.registered();
    } else line.start(account);
    renewal = setTimeout(renew, account.renew_s * 1000);
  };
  const renew = async () => {
    const account = await issue();
    if (account) line.renew(account.password);
    renewal = setTimeout(account ? renew : connect, account ? account.renew_s * 1000 : 5000);
  };

  const tab = kit.tab(`hotline-phone-${bar.dataset.user}`, {
    gained: () => queueMicrotask(() => { alarm(""); connect(); }),
    lost: () => { clearTimeout(renewal); line.stop(); bar.dataset.line = "down"; alarm("taken"); },
    waits: (busy) => alarm(busy ? "busy_elsewhere" : "elsewhere"),
    busy: () => line.active(),
  });

  // What she does.

  const choose = async (value, patience = 40) => {
    const [state, reason] = value.split(":");
    if (state === "ready" && !line.registered() && tab.owned()) { wanted = value; say(words.connecting); return; }
    const answer = await ask("presence", { state, reason }, (text, code) => {
      // The exchange has taken the telephone in and has not tried it yet.
      if (code === "no_line" && line.registered() && patience) setTimeout(choose, 300, value, patience - 1);
      else say(text);
    });
    stand(answer);
    if (!answer) return;
    part.presence.value = chosen();
    if (mine.following && call) say(words.after.replace("{0}", part.presence.selectedOptions[0]?.text ?? ""));
  };
  Object.assign(acts, {
    answer: async () => {
      try { await line.answer(); alarm(""); } catch (error) { alarm(error.why ?? "no_microphone"); draw(); }
    },
    reject: () => line.hangUp(),
    hangup: () => line.hangUp(),
    hold: () => line.hold(!call.held),
    mute: () => { call.muted = !call.muted; line.mute(call.muted); draw(); },
    keypad: () => { call.pad = !call.pad; draw(); },
    ready: () => choose("ready"),
    extend: async () => stand(await ask("extend", {})),
    take: () => { if (elsewhere) { elsewhere = false; connect(); } else tab.take(); },
    microphone: async () => {
      try { (await kit.audio.microphone()).getTracks().forEach((track) => track.stop()); alarm(""); if (call?.stage === "ringing") acts.answer(); }
      catch (error) { alarm(error.why); }
    },
  });
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) acts[button.dataset.act]?.(button);
    const digit = event.target.closest("[data-digit]");
    if (digit) line.press(digit.dataset.digit);
  });
  part.presence.addEventListener("change", () => choose(part.presence.value));
  document.addEventListener("stream:phone", (event) => stand(event.detail));
  document.addEventListener("desk:result-needed", (event) => { resultNeeded = event.detail === true; });

  setInterval(async () => {
    const found = await line.quality();
    if (!found || !call) return; // It may have ended meanwhile.
    const before = call.stats ?? found;
    call.stats = found;
    const [received, lost] = [found.received - before.received, Math.max(0, found.lost - before.lost)];
    const loss = Math.round((lost / Math.max(1, lost + received)) * 100);
    const grade = loss > 8 || found.jitter > 60 || found.delay > 500 ? "poor" : loss > 2 || found.jitter > 30 || found.delay > 250 ? "fair" : "good";
    part.quality.dataset.grade = grade;
    part.qualityWords.textContent = words[grade];
    part.quality.title = words.quality.replace("{0}", loss).replace("{1}", found.jitter).replace("{2}", found.delay);
    show(part.quality, true);
  }, 2000);

  // Leaving in a call is asked about; whoever goes all the same gives the caller back to the queue.
  addEventListener("beforeunload", (event) => { if (line.active()) { event.preventDefault(); event.returnValue = ""; } });
  addEventListener("pagehide", () => line.leave());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  document.addEventListener("submit", (event) => {
    if (line.active() && event.target.action?.endsWith("/logout") && !confirm(words.leaving)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);

  Object.assign(kit, { acts, ask, bar, part, words, show, say, alarm, draw, stand, line: line, current: () => call, change: (news) => { if (call) Object.assign(call, news); draw(); } });
  window.phone = { ready: acts.ready, extend: acts.extend, answer: acts.answer, hangUp: acts.hangup, state: () => ({ ...mine, stage: call?.stage ?? "" }) };
  kit.attach?.();
  draw();
})();
