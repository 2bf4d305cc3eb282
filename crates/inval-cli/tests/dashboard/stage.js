// Plays the clock, the timers and the daemon for the page, so that a test can go through an hour at once.
(() => {
  let clock = 1000000, last = 0;
  const watch = performance.now.bind(performance);
  const timers = new Map();
  performance.now = () => clock;
  window.setTimeout = (call, delay = 0) => { timers.set(++last, [clock + delay, call]); return last; };
  window.clearTimeout = timer => { timers.delete(timer); };
  // Answers come at once, so the page is through with one after a few turns. No frame is drawn meanwhile.
  const settled = async () => { for (let turn = 0; turn < 40; turn++) await null; };
  // The page draws the rows that are seen, and learns which are with the next frame: before this is told twice.
  const seen = () => new Promise(resolve => {
    const watcher = new IntersectionObserver(() => { watcher.disconnect(); resolve(); });
    watcher.observe(document.body);
  });

  const stage = window.stage = {
    asked: 0,
    // Milliseconds that passing took, without what was told.
    spent: 0,
    isHidden: false,
    // What is told, path by path; null for no answer at all.
    tell: () => null,
    async pass(polls) {
      await seen();
      await seen();
      stage.spent -= watch();
      for (let poll = 0; poll < polls; poll++) {
        clock += 2000;
        for (const [timer, [at, call]] of [...timers]) if (at <= clock) { timers.delete(timer); call(); }
        await settled();
      }
      stage.spent += watch();
    },
    async hide(isHidden) {
      stage.isHidden = isHidden;
      document.dispatchEvent(new Event("visibilitychange"));
      await settled();
    },
  };
  Object.defineProperty(document, "hidden", { get: () => stage.isHidden });
  window.fetch = async path => {
    stage.asked++;
    const asked = watch();
    const told = stage.tell(path);
    stage.spent -= watch() - asked;
    if (told === null) throw new TypeError("nobody answers");
    return { ok: true, status: 200, json: async () => told };
  };
  // The statistics of a namespace of which only this much matters.
  stage.namespace = (changes = {}) => ({
    strategy: "lru", state: "ready", usage: { entries: 10, bytes: 2048 }, limits: { max_entries: 100, max_bytes: null },
    hits: 0, misses: 0, miss_ratio: null, inserted: { entries: 0, bytes: 0 }, rejected: 0,
    removed: Object.fromEntries(["expired", "evicted", "invalidated", "replaced", "vanished"].map(cause => [cause, { entries: 0, bytes: 0 }])),
    evicted_age_ms: { p50: null, p90: null, p99: null }, evicted_idle_ms: { p50: null, p90: null, p99: null },
    peak: { entries: 10, bytes: 2048 }, lag_ms: 0, max_lag_ms: 1000, backlog: 0, age_ms: 0, ...changes,
  });
  stage.play = namespaces => {
    stage.tell = path => path === "v1/version" ? { name: "inval", version: "0", store: "memory" }
      : { namespaces: namespaces(), manager: { duty_cycle: .01, granted: 1 } };
  };
})();
