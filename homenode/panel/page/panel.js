// The panel. What it shows is at most 10 s old; else it says so itself, whatever became of server, node or network.

import { h, patch } from "/parts.js";

const OLDEST_MS = 10_000;
const EACH_MS = 1_000;
const READS_MS = 120_000;     // so long the log of looks stays open
const TWICE_MS = 500;         // a hand that shakes presses twice: what came under it meanwhile isn't meant
const kept = (name) => { try { return localStorage.getItem(name) ?? ""; } catch { return ""; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } };

let language = kept("language");
let words = {};
let paired = null;        // null: not yet known
let told = null;          // the last picture
let enrolment = null;     // of a box that has no home yet
let asks = 0, told_by = 0; // which question brought it: an answer can overtake another
let seen = null;          // when it was true, by two clocks: one stands still while a tablet sleeps, one is set
let hidden = false;       // slept or covered since: what stands there may be of before
let busy = false;
let code = "";
let said = "";            // what a press came to, if not to what was meant
let reads = 0;            // since when the log of looks is open
let fading = 0;

const word = (key) => words[key] ?? "";
const clocks = () => ({ run: performance.now(), wall: Date.now() });

function isOld() {
  if (!seen || hidden) return true;
  const now = clocks();
  const run = now.run - seen.run, wall = now.wall - seen.wall;
  return run > OLDEST_MS || wall > OLDEST_MS || wall < -OLDEST_MS;
}

// --- news

async function get(path) {
  const answer = await fetch(`${path}?language=${language}`, { signal: AbortSignal.timeout(OLDEST_MS) });
  return answer.status === 401 ? { paired: false } : answer.json();
}

async function begin() {
  try {
    const found = await get("/words");
    ({ words, paired } = found);
    document.documentElement.lang = found.language;
    document.title = word("panel");
  } catch { /* asked again below */ }
  draw();
}

// A picture is as old as the question: what a sleeping tablet finds in its buffers is not of now.
async function look() {
  if (!words.panel) await begin();
  await enrol();
  if (!paired) return;
  const asked = clocks(), ask = ++asks;
  try {
    const found = await get("/picture");
    if (found.paired === false) { forget(); await begin(); return; }
    if (!found.picture || ask < told_by) return;
    told_by = ask;
    told = found.picture;
    seen = { run: asked.run - found.age_ms, wall: asked.wall - found.age_ms };
    hidden = document.hidden;
    draw();
  } catch { /* it grows old, and says so */ }
}

async function enrol() {
  if (paired && !isOld()) { enrolment = null; return; }
  try { ({ enrolment } = await get("/enrolment")); } catch { enrolment = null; }
  draw();
}

async function follow() {
  await look();
  setTimeout(follow, EACH_MS);
}

function forget() { told = null; seen = null; paired = false; reads = 0; }

document.addEventListener("visibilitychange", () => { hidden = true; draw(); });
addEventListener("pageshow", ({ persisted }) => { if (persisted) { hidden = true; draw(); } });
setInterval(draw, 500);

// --- doing

async function post(path, body) {
  if (busy) return null;
  const pressed = performance.now();
  busy = true;
  draw();
  try {
    const answer = await fetch(`${path}?language=${language}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(OLDEST_MS),
    });
    const found = await answer.json();
    say(found.error ?? "");
    await look();
    return found;
  } catch {
    say(word("not_known"));
    return null;
  } finally {
    await new Promise((go) => setTimeout(go, pressed + TWICE_MS - performance.now()));
    busy = false;
    draw();
  }
}

function say(text) {
  said = text;
  draw();
  clearTimeout(fading);
  if (text) fading = setTimeout(say, OLDEST_MS, "");
}

async function enter() {
  if (busy || code.length < 6) return;
  const found = await post("/pair", { code });
  code = "";
  if (found && !found.error) await begin().then(look);
  draw();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button || button.disabled) return;
  const { act, digit, seen: shown } = button.dataset;
  if (digit !== undefined) type(digit);
  else if (act === "erase") type("Backspace");
  else if (act === "enter") enter();
  else if (act === "log") { reads = reads ? 0 : performance.now(); draw(); document.querySelector(".log h1, [data-act=log]")?.focus(); }
  else if (act === "language") {
    language = document.documentElement.lang === "sv" ? "en" : "sv";
    keep("language", language);
    begin().then(look);
  } else if (act) post("/do", { do: act, seen: shown ?? "" });
});

document.addEventListener("keydown", ({ key, target }) => {
  if (paired === false && !enrolment && /^(\d|Backspace)$/.test(key)) type(key);
  if (paired === false && key === "Enter" && !target.closest("[data-act]")) enter();
  if (key === "Escape" && reads) { reads = 0; draw(); document.querySelector("[data-act=log]")?.focus(); }
});

function type(key) {
  code = key === "Backspace" ? code.slice(0, -1) : (code + key).slice(0, 6);
  draw();
}

// --- drawing

const symbol = (name, is = "") => h("svg", { class: `symbol ${is}`, "aria-hidden": "true" }, h("use", { href: `/symbols.svg#${name}` }));
const button = (act, text, more = {}, picture = "") =>
  h("button", { "data-act": act, type: "button", disabled: busy, ...more }, picture && symbol(picture), h("span", {}, text));

function draw() {
  const old = isOld();
  if (performance.now() - reads > READS_MS) reads = 0;
  const busy = !old && (told.alerts.length || told.camera?.looks.length);
  const upright = innerHeight > innerWidth;
  const full = busy || (!old && (told.mode.text || told.notes.length));
  const dense = told?.tiles.length > (upright ? 12 : 8) || (full && !upright);
  const is = { old, busy, dense, night: told?.night, out: paired === false || enrolment };
  document.body.className = Object.keys(is).filter((name) => is[name]).join(" ");
  const fresh = h("main", { id: "main", "data-old": String(old) }, enrolment ? enrolling() : paired === false ? pairing() : [
    old || !reads ? headline(old) : null, !old && looks(), !old && alerts(), reads ? log() : home(old)]);
  patch(document.getElementById("main"), fresh);
  patch(document.getElementById("said"), h("div", { id: "said", role: "alert" }, paired !== false && said));
}

function enrolling() {
  const { title, text, waits, rows } = enrolment;
  return [
    h("h1", {}, title),
    h("p", { class: waits ? "told" : "told on", role: "status" }, text),
    enrolment.do && h("p", {}, enrolment.do),
    h("dl", {}, rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    button("language", word("other_language"), { class: "plain", lang: document.documentElement.lang === "sv" ? "en" : "sv" }),
  ];
}

function pairing() {
  return [
    h("h1", {}, word("pair")),
    h("p", { class: said ? "told on" : "told", role: "status" }, said || word("pair_how")),
    h("output", { class: "code", "aria-label": word("code") }, code.padEnd(6, "·")),
    h("div", { class: "keys" }, [..."123456789"].map(key),
      button("erase", word("erase")), key("0"), button("enter", "OK", { disabled: busy || code.length < 6 })),
  ];
}

const key = (digit) => h("button", { type: "button", "data-digit": digit, disabled: busy }, digit);

// A tile's shape says as much as its colour: symbol of an open door, mark and word.
function tile(one, old) {
  const state = old ? "unknown" : one.state;
  const open = state === "on" && ["door", "window", "lock"].includes(one.symbol);
  return h("li", { "data-key": one.key, class: `tile ${state}` }, h("div", { class: "face" },
    symbol(open ? `${one.symbol}-on` : one.symbol, "thing"), symbol(state, "mark"),
    h("span", { class: "name" }, one.name), " ",
    h("span", { class: "word" }, old ? word("unknown") : one.word), " ",
    h("span", { class: "room" }, one.room)));
}

function headline(old) {
  const none = { state: "unknown", text: word("no_contact"), more: word("no_contact_more") };
  const { state, text, more } = old || !told ? none : told.headline;
  return h("div", { class: `head ${state}`, role: "status" }, symbol(state), h("h1", {}, text), more && h("p", {}, more));
}

function alerts() {
  const open = told.alerts;
  if (!open.length) return null;
  return h("section", { class: "alerts", "aria-label": word("alerts"), role: "alert" },
    h("ul", {}, open.map((one) => h("li", { "data-key": one.key, class: `alert ${one.severity}` },
      symbol(one.severity === "alarm" ? "alert" : "time"),
      h("span", {}, h("strong", {}, one.text), " ", one.state && h("span", { class: "state" }, one.state))))),
    told.answerable && button("ok", word("ok"), { class: "big", "data-seen": told.answerable }));
}

function looks() {
  return (told.camera?.looks ?? []).map((one) => h("section", { class: "look", "data-key": one.key, role: "alert" },
    symbol("camera"),
    h("div", {}, h("strong", {}, one.text), one.more.map((text) => h("p", {}, text))),
    one.asked
      ? [button("yes", word("yes"), { class: "big", "data-seen": one.key }), button("no", word("no"), { class: "big" })]
      : button("stop", word("stop"), { class: "big" })));
}

function camera() {
  if (!told.camera) return null;
  const { on, text } = told.camera;
  return h("button", { type: "button", "data-act": "log", class: "camera" }, symbol(on ? "camera" : "camera-off"),
    h("span", {}, text, " ", h("small", {}, word("who_looked"))));
}

function foot(old) {
  const { mode } = told;
  return h("footer", {},
    h("div", { class: "row" },
      !old && mode.leave && button("leave", word("leave"), { class: "go" }, "leave"),
      !old && mode.back && button("back", word("back"), { class: "go" }, "back"),
      !old && mode.text && h("p", { class: "mode" }, mode.text)),
    !old && camera(),
    h("div", { class: "time" }, !old && told.clock && h("time", {}, `${told.day} ${told.clock}`),
      button("language", word("other_language"), { class: "plain", lang: document.documentElement.lang === "sv" ? "en" : "sv" })));
}

function home(old) {
  return told && [
    !old && told.notes.map((text) => h("p", { class: "note" }, text)),
    h("ul", { class: "tiles", "aria-label": word("things") }, told.tiles.map((one) => tile(one, old))),
    foot(old),
  ];
}

function log() {
  const rows = told?.camera?.log ?? [];
  return h("section", { class: "log" },
    h("h1", { tabindex: "-1" }, word("who_looked")),
    button("log", word("close"), { class: "go" }),
    rows.length ? h("ol", {}, rows.map((one) => h("li", { "data-key": one.key },
      h("time", {}, one.when), " ", h("strong", {}, one.text), " ", h("span", {}, one.more)))) : h("p", {}, told?.camera?.nobody ?? ""));
}

follow();
