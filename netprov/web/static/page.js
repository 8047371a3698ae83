// Keeps the page as it is now: rows change in place, a machine's page loads its part anew. Without it all is there too.
"use strict";
(() => {
  const main = document.querySelector("main");
  const live = main.dataset.live;
  const skew = Date.now() / 1000 - Number(document.body.dataset.now);

  const since = seconds => {
    if (seconds < 5) return "just now";
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]])
      if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit} ago`;
    return `${Math.floor(seconds)} s ago`;
  };
  const setText = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
  const tellTimes = () => {
    for (const time of document.querySelectorAll("time[data-at]"))
      setText(time, since(Date.now() / 1000 - skew - Number(time.dataset.at)));
  };

  const wire = () => {
    const hint = document.getElementById("hint");
    if (hint) {
      hint.textContent = hint.dataset.empty;
      for (const span of document.querySelectorAll(".lanes a"))
        for (const event of ["mouseenter", "focus"])
          span.addEventListener(event, () => setText(hint, span.dataset.title));
    }
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
      });
    }
    tellTimes();
  };

  // What the server sent last, without the times that pass by themselves: what is the same is left alone.
  const plain = part => part.innerHTML.replace(/(<time[^>]*>)[^<]*/g, "$1");
  let sent = live ? plain(document.getElementById("live")) : "";
  let loading = false, again = false;
  const refresh = async () => {
    if (loading) { again = true; return; }
    loading = true;
    try {
      const answer = await fetch(location.href, {cache: "no-store", headers: {"X-Requested-With": "fetch"}});
      if (answer.redirected) { location.reload(); return; }
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live"));
    } catch (error) { /* the stream comes back, and with it the next refresh */ }
    loading = false;
    if (again) { again = false; setTimeout(refresh, 700); }
  };
  const swap = fresh => {
    const old = document.getElementById("live");
    if (!fresh || !old || editing(old) || plain(fresh) === sent) return;
    sent = plain(fresh);
    for (const details of old.querySelectorAll("details[open][id]")) {
      const same = fresh.querySelector(`#${details.id}`);
      if (same) same.open = true;
    }
    const focus = pathTo(document.activeElement, old);
    old.replaceWith(fresh);
    if (focus) focus(fresh)?.focus({preventScroll: true});
    wire();
  };
  const editing = old => old.contains(document.activeElement) && document.activeElement.matches("input, select");
  const pathTo = (element, root) => {
    if (!root.contains(element) || element === root) return null;
    const key = element.matches("a") ? `a[href="${CSS.escape(element.getAttribute("href"))}"]` : element.tagName.toLowerCase();
    const index = [...root.querySelectorAll(key)].indexOf(element);
    return fresh => fresh.querySelectorAll(key)[index];
  };

  // A file on its way: its bar, or none; one that is not heard of any more is gone.
  const move = (bar, now) => {
    if (!bar) return;
    bar.hidden = !now;
    if (!now) return;
    bar.dataset.heard = Date.now();
    bar.querySelector("progress").value = now.percent;
    setText(bar.querySelector(".moving-text"), now.text);
  };
  const forget = () => {
    for (const bar of document.querySelectorAll(".moving:not([hidden])"))
      if (Date.now() - (bar.dataset.heard ||= Date.now()) > 6000) { bar.hidden = true; refresh(); }
  };
  const setPill = (pill, stage, state) => {
    const suffix = {failed: " failed", started: " …"}[state] || "";
    if (pill.textContent === (stage || "got nothing") + suffix) return;
    pill.className = `pill ${state || "none"}`;
    pill.replaceChildren(pill.firstElementChild, (stage || "got nothing") + suffix);
  };
  const rowOf = name => [...document.querySelectorAll("tr[data-machine]")].find(r => r.dataset.machine === name);
  const onProgress = all => {
    for (const now of all) {
      const place = live === "list" ? rowOf(now.machine) : now.machine === main.dataset.machine ? main : null;
      if (!place) continue;
      if (live === "machine" && cell(place, "moving")?.hidden) refresh();  // its lane begins
      move(cell(place, "moving"), now);
      if (!now.stage || !cell(place, "stage")) continue;
      setPill(cell(place, "stage"), now.stage, "started");
      const mark = place.querySelector(`.track [data-stage="${CSS.escape(now.stage)}"]`);
      if (mark) mark.className = "started";
    }
  };

  const cell = (row, name) => row.querySelector(`[data-cell="${name}"]`);
  const patch = (row, now) => {
    setPill(cell(row, "stage"), now.stage, now.state);
    for (const mark of row.querySelectorAll(".track i")) mark.className = now.reached[mark.dataset.stage] || "";
    move(cell(row, "moving"), now.progress);
    setText(cell(row, "text"), now.text || "has not contacted this server");
    setText(cell(row, "verdict"), now.verdicts.length ? now.verdicts[0].sentence : "");
    setText(cell(row, "says"), now.says);
    if (now.at !== null) {
      const time = document.createElement("time");
      time.dataset.at = now.at;
      time.dateTime = new Date(now.at * 1000).toISOString();
      cell(row, "at").replaceChildren(time);
    }
    sent = "";
    row.classList.remove("changed");
    void row.offsetWidth;
    row.classList.add("changed");
    tellTimes();
  };
  const onMachine = now => {
    if (live === "machine") {
      if (now.machine === main.dataset.machine) refresh();
      return;
    }
    const row = rowOf(now.machine);
    if (row) patch(row, now);
    else if (!now.system || now.macs.some(mac => document.querySelector(`#strangers a[href$="${encodeURIComponent(mac)}"]`))) refresh();
  };

  const follow = () => {
    const state = document.getElementById("live-state");
    const stream = new EventSource("/events");
    stream.addEventListener("open", () => { setText(state, "live"); state.classList.add("on"); refresh(); });
    stream.addEventListener("error", () => {
      setText(state, stream.readyState === EventSource.CLOSED ? "not live" : "reconnecting …");
      state.classList.remove("on");
      if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 15000);
    });
    stream.addEventListener("machine", message => onMachine(JSON.parse(message.data)));
    stream.addEventListener("progress", message => onProgress(JSON.parse(message.data)));
    stream.addEventListener("reload", refresh);
    addEventListener("pagehide", () => stream.close());
  };

  wire();
  if (live) {
    follow();
    setInterval(() => { tellTimes(); forget(); }, 5000);
  }
})();
