// One tab has the telephone. Another one waits, and takes it when the first is closed or when she says so there:
// two tabs on one account would not tell each other, and only the newer one would ring.
(() => {
  const kit = (window.phoneKit ??= {});

  // `gained`, `lost`, `waits` are told; `busy()` says whether a call is under way in this tab.
  kit.tab = (name, { gained, lost, waits, busy }) => {
    if (!navigator.locks) {
      gained();
      return { take: () => null, owned: () => true };
    }
    let owned = false, release = null, refused = false;
    const channel = new BroadcastChannel(name);
    const hold = () => new Promise((resolve) => { release = resolve; });

    const own = async () => {
      owned = true;
      channel.postMessage("mine");
      gained();
      await hold();
    };
    const queue = () => navigator.locks.request(name, own).catch(() => robbed());
    const robbed = () => {
      if (!owned) return;
      owned = false;
      lost();
      queue();
    };

    channel.onmessage = ({ data }) => {
      if (data === "who" && owned) channel.postMessage(busy() ? "busy" : "mine");
      if (data === "give" && owned) {
        // A call is not taken out of somebody's ear by another tab.
        if (busy()) channel.postMessage("busy");
        else { owned = false; lost(); release(); queue(); }
      }
      if (data === "busy") refused = true;
      if (!owned && (data === "mine" || data === "busy")) waits(data === "busy");
    };
    navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) return own();
      waits(false);
      channel.postMessage("who");
      queue();
    }).catch(() => robbed());

    const take = () => {
      refused = false;
      channel.postMessage("give");
      // A tab that hangs answers nothing; its telephone is of no use to anybody.
      setTimeout(() => {
        if (!owned && !refused) navigator.locks.request(name, { steal: true }, own).catch(() => robbed());
      }, 1500);
    };
    return { take, owned: () => owned };
  };
})();
