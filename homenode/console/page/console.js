// What is live on every page: rows, the bar, sound, notifications; and that it no longer is.

const place = (id) => document.getElementById(id);
const SILENCE_MS = 12_000;   // the server says something each 5 s
const BEEP_MS = 4_000;

let heard = Date.now();
let ahead = 0;               // the server's clock less ours
let loud = false;
let ended = false;

// --- news

function listen() {
  const show = document.body.dataset.show;
  const events = new EventSource(`/events${show ? `?show=${show}` : ""}`);
  events.onmessage = (message) => {
    heard = Date.now();
    take(JSON.parse(message.data));
    if (ended) events.close();
    cutOff();
  };
  events.onerror = () => {
    // A refusal (an ended sign-in) is not tried again by the browser.
    if (events.readyState === EventSource.CLOSED && !ended) setTimeout(listen, 3_000);
    heard = Math.min(heard, Date.now() - SILENCE_MS);
    cutOff();
  };
}

function take(told) {
  if (told.ended) { ended = told.ended; return; }
  ahead = told.now - Date.now();
  if (told.rows) draw(told.rows, told.order);
  for (const part of ["case", "bar", "pictures"]) {
    if (told[part]) replace(place(part), told[part]);
  }
  if (told.offers !== undefined && !document.querySelector(".look.on")) replace(place("offers"), told.offers);
  loud = told.loud;
  document.title = document.title.replace(/^(\(\d+\) )?/, told.calls ? `(${told.calls}) ` : "");
  for (const one of told.news) notify(one);
}

// What has the focus keeps it, so that a keyboard or a screen reader doesn't fall out of the page.
function replace(old, html, whole = false) {
  const had = old.contains(document.activeElement) ? document.activeElement : null;
  const again = had && (had.getAttribute("aria-label") ?? had.getAttribute("href"));
  const made = document.createElement("template");
  made.innerHTML = html;
  if (whole) old.replaceWith(made.content); else old.replaceChildren(made.content);
  if (!had) return;
  const next = whole ? place(old.id) : old;
  const same = [...next.querySelectorAll("a, button")]
    .find((one) => (one.getAttribute("aria-label") ?? one.getAttribute("href")) === again);
  (same ?? next.querySelector("a, button") ?? place("main")).focus();
}

function draw(rows, order) {
  const list = place("rows");
  for (const [key, html] of Object.entries(rows)) {
    const old = place(`c-${key}`);
    if (old) replace(old, html, true);
    else list.insertAdjacentHTML("beforeend", html);
  }
  const wanted = new Set(order.map((key) => `c-${key}`));
  for (const row of [...list.children]) {
    if (wanted.has(row.id)) continue;
    if (row.contains(document.activeElement)) place("main").focus();
    row.remove();
  }
  order.forEach((key, nth) => {
    const row = place(`c-${key}`);
    if (list.children[nth] !== row) list.insertBefore(row, list.children[nth]);
  });
  place("empty").hidden = order.length > 0;
  sift();
}

// --- what is shown

// Nobody scrolls a wall's screen: what has no place isn't half there, and is counted.
const onWall = document.documentElement.classList.contains("screen");

function below(row) {
  row.hidden = false;
  return row.getBoundingClientRect().bottom > innerHeight;
}

function sift() {
  const filter = place("filter");
  if (!filter) return;
  const text = filter.elements.text.value.toLowerCase();
  const show = filter.elements.show?.value ?? "";
  const rows = [...place("rows").children];
  let shown = 0;
  let all = 0;
  let full = false;
  for (const row of rows) {
    const more = Number(row.dataset.more ?? 0);   // cases of its home that have no row
    const fits = more ? show !== "alarm" || row.dataset.severity === "alarm" : (!text || row.textContent.toLowerCase().includes(text))
      && (show !== "mine" || row.dataset.has === "me")
      && (show !== "unowned" || !row.dataset.has)
      && (show !== "alarm" || row.dataset.severity === "alarm");
    full ||= onWall && below(row);
    row.hidden = !fits || full;
    shown += !row.hidden && !more;
    all += more || 1;
  }
  const count = place("count");
  count.value = count.dataset.words.replace("{n}", shown).replace("{of}", all);
  count.hidden = !all;
}

function ages() {
  const now = Date.now() + ahead;
  for (const time of document.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.floor((now - time.dataset.since) / 1000));
    const [unit, size] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].find((one) => seconds >= one[1]) ?? ["s", 1];
    const text = `${Math.floor(seconds / size)} ${unit}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

function cutOff() {
  const cut = place("cut");
  const text = ended || (Date.now() - heard >= SILENCE_MS ? document.body.dataset.cutOff : "");
  if (cut.textContent !== text) cut.textContent = text;
  document.body.classList.toggle("old", Boolean(text));
}

// --- sound and notifications

const sound = new AudioContext();

function beep() {
  quiet();
  if (!(loud || ended || document.body.classList.contains("old")) || sound.state !== "running") return;
  for (const [nth, hertz] of [880, 660, 880].entries()) {
    const tone = new OscillatorNode(sound, { frequency: hertz });
    const gain = new GainNode(sound, { gain: 0.25 });
    tone.connect(gain).connect(sound.destination);
    tone.start(sound.currentTime + nth * 0.25);
    tone.stop(sound.currentTime + nth * 0.25 + 0.18);
  }
}

function quiet() {
  place("quiet").hidden = sound.state === "running";
}

function notify(one) {
  if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  const shown = new Notification(one.text, { tag: one.key, requireInteraction: true, icon: "/icon.svg" });
  shown.onclick = () => { window.focus(); location.href = one.url; };
}

if (place("bar")) {
  place("sound").addEventListener("click", () => sound.resume().then(quiet));
  document.addEventListener("click", () => { if (sound.state !== "running") sound.resume().then(quiet); });
  const ask = place("notify");
  ask.hidden = !("Notification" in window) || Notification.permission !== "default";
  ask.addEventListener("click", () => Notification.requestPermission().then(() => { ask.hidden = true; }));
  place("filter")?.addEventListener("input", sift);
  place("filter")?.addEventListener("submit", (event) => event.preventDefault());
  setInterval(beep, BEEP_MS);
  sift();
  quiet();
}
setInterval(() => { ages(); cutOff(); }, 1_000);
if (onWall) new ResizeObserver(sift).observe(document.querySelector("header"));
listen();
