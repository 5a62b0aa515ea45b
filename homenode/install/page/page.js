import { h, patch, picture } from "/parts.js";

const place = (id) => document.getElementById(id);
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } };

let language = kept("language") ?? (navigator.language.startsWith("sv") ? "sv" : "en");
let words = {};
let known = null;       // the last picture of the installation
let inside = false;     // this browser has been let in
let gone = false;       // no contact
let tab = location.hash === "#test" ? "test" : "pair";
let open = {};          // what is unfolded, by key
let busy = false;
let events = null;
let fading = 0;

const word = (key, more = {}) =>
  (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => more[name] ?? all);

// --- talking to the node

async function post(path, body) {
  const answer = await fetch(`${path}?language=${language}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json().catch(() => ({ error: answer.statusText }));
  if (answer.status === 401) { inside = false; draw(); }
  return found;
}

async function wish(what) {
  if (busy) return null;
  busy = true;
  draw();
  tell("");
  try {
    const found = await post("/do", what);
    if (found.sure) return ask(found.error, what);
    tell(found.error ?? found.told, !found.error);
    return found;
  } catch {
    tell(word("no_contact"));
    return null;
  } finally {
    busy = false;
    draw();
  }
}

function tell(text, good = false) {
  const said = place("said");
  said.className = good ? "good" : "bad";
  said.replaceChildren(text ?? "");
  clearTimeout(fading);
  if (good) fading = setTimeout(() => said.replaceChildren(), 6000);
}

function ask(text, what) {
  const dialog = h("dialog", { class: "ask" },
    h("p", {}, text),
    h("div", { class: "row" },
      h("button", { type: "button", value: "no", autofocus: true }, word("no_back")),
      h("button", { type: "button", value: "yes", class: "strong" }, word("yes_sure"))));
  document.body.append(dialog);
  return new Promise((done) => {
    const end = (found) => { dialog.close(); dialog.remove(); done(found); };
    dialog.addEventListener("cancel", () => end(null));
    dialog.addEventListener("click", (event) => {
      if (event.target.value === "yes") { busy = false; end(wish({ ...what, sure: true })); }
      if (event.target.value === "no") end(null);
    });
    dialog.showModal();
  });
}

function listen() {
  events?.close();
  events = new EventSource(`/events?language=${language}`);
  events.onmessage = (event) => { known = JSON.parse(event.data); inside = true; gone = false; draw(); };
  events.onerror = () => {
    gone = inside;
    draw();
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

async function enter(code) {
  const found = await post("/enter", { code }).catch(() => ({ error: word("no_contact") }));
  if (found.error) return tell(found.error);
  tell("");
  inside = true;
  listen();
}

// --- what is shown

function draw() {
  document.documentElement.lang = language;
  patch(place("head"), h("header", { id: "head" }, head()));
  const body = !inside ? door() : known === null ? [h("p", {}, word("waiting"))] : { pair, test, report }[tab]();
  patch(place("main"), h("main", { id: "main", tabindex: "-1", "aria-busy": busy ? "true" : "false" }, body));
  patch(place("tabs"), h("nav", { id: "tabs", "aria-label": word("steps") }, inside ? tabs() : []));
}

function head() {
  const other = language === "sv" ? "en" : "sv";
  const node = gone ? null : known?.node;  // without contact nobody knows how it is now
  return [
    h("div", { class: "row" },
      h("h1", {}, inside && known ? known.home : word("title")),
      h("button", { type: "button", class: "small", "data-language": other, lang: other },
        other === "sv" ? "Svenska" : "English")),
    gone && h("p", { class: "bad banner" }, word("no_contact")),
    (node?.troubles ?? []).map((text) => h("p", { class: "bad banner" }, text)),
    node?.mode === "service" && h("p", { class: "service banner" }, word("in_service", { min: node.mode_left_min })),
  ];
}

function door() {
  return [h("form", { id: "door", class: "card" },
    h("label", { for: "code" }, word("code")),
    h("input", { id: "code", name: "code", autocomplete: "one-time-code", autocapitalize: "characters",
      spellcheck: "false", required: true, maxlength: "12" }),
    h("button", { class: "strong wide" }, word("enter")))];
}

function tabs() {
  const fresh = known?.arrivals.length ?? 0;
  const left = known?.walk ? known.walk.rows.length - known.walk.passed : 0;
  return [["pair", fresh], ["test", left], ["report", 0]].map(([name, count]) =>
    h("button", { type: "button", "data-tab": name, "aria-current": tab === name ? "page" : false },
      word(`tab_${name}`), count > 0 && h("span", { class: "count" }, String(count))));
}

const does = (what) => JSON.stringify(what);
const act = (what, text, more = {}) =>
  h("button", { type: "button", "data-do": does(what), "aria-disabled": busy && "true", ...more }, text);

function pair() {
  const held = known.devices.filter((one) => one.placing), rest = known.devices.filter((one) => !one.placing);
  const now = known.replacing ? "open_replacing" : known.open_code ? "open_code" : "open_now";
  return [
    known.open
      ? [h("p", { class: "good" }, word(now, { name: known.replacing })),
        known.open_radio && h("p", { class: "quiet" }, `${word("radio")} ${known.open_radio}`),
        act({ do: "close" }, word("close"), { class: "wide" })]
      : known.radios.length > 1
        ? known.radios.map((radio) => act({ do: "open", radio }, `${word("open")}: ${radio}`, { class: "strong wide" }))
        : act({ do: "open" }, word("open"), { class: "strong wide" }),
    !known.open && code(),
    held.length > 0 && h("h2", {}, word("held")),
    held.map(device),
    h("h2", {}, word("new_devices")),
    known.arrivals.length === 0 && h("p", { class: "quiet" }, word("none_new")),
    known.arrivals.map(arrival),
    h("h2", {}, word("devices")),
    known.devices.length === 0 && h("p", { class: "quiet" }, word("none_here")),
    rest.map(device),
    known.notices.map((text) => h("p", { class: "quiet" }, text)),
  ];
}

function code() {
  if (!open.code) return h("button", { type: "button", class: "wide", "data-open": "code" }, word("has_code"));
  return h("form", { id: "by-code", class: "card" },
    known.radios.length > 1 && h("fieldset", {}, h("legend", {}, word("radio")),
      known.radios.map((radio, nth) => h("label", {},
        h("input", { type: "radio", name: "radio", value: radio, required: true, checked: nth === 0 }), radio))),
    h("label", { for: "device-code" }, word("code_of_device")),
    h("input", { id: "device-code", name: "code", required: true, maxlength: "200", autocomplete: "off",
      autocapitalize: "characters", spellcheck: "false" }),
    h("p", { class: "quiet" }, word("code_about")),
    h("label", { for: "device-ieee" }, word("code_ieee")),
    h("input", { id: "device-ieee", name: "ieee", maxlength: "40", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false" }),
    h("div", { class: "row" },
      h("button", { type: "button", "data-close": "code" }, word("back")),
      h("button", { class: "strong", "aria-disabled": busy && "true" }, word("open_for_it"))));
}

function arrival(one) {
  const key = `new-${one.address}`;
  const about = one.about || one.address;
  return h("section", { class: "card", "data-key": key, "aria-label": one.called },
    h("div", { class: "row" }, picture(one.picture),
      h("div", { class: "grow" }, h("h3", {}, one.called), h("p", { class: "quiet" }, about),
        one.lqi !== null && h("p", { class: "quiet" }, `${word("link")} ${Math.round(one.lqi)}`))),
    one.note && h("p", { class: "note" }, one.note),
    one.signs.length > 0
      ? h("ul", { class: "signs", "aria-live": "polite" }, one.signs.map((text) => h("li", {}, text)))
      : one.ready && h("p", { class: "quiet" }, word("which_one")),
    one.ready && one.could.length > 0 && h("p", { class: "quiet" }, `${word("could")} ${one.could.join(", ")}`),
    known.replacing && one.ready && act({ do: "replace", device: known.replacing, address: one.address },
      word("is_the_new", { name: known.replacing }), { class: "strong wide" }),
    open[key] ? naming(one) : h("div", { class: "row" },
      h("button", { type: "button", "data-open": key, class: known.replacing ? "" : "strong",
        disabled: !one.ready }, word("name_it")),
      act({ do: "dismiss", address: one.address }, word("not_ours"))));
}

function naming(one) {
  const key = `new-${one.address}`, id = one.address.replaceAll(":", "");
  const room = open[key].room ?? "";
  return h("form", { "data-name": one.address },
    rooms(key, id, room),
    h("label", { for: `name-${id}` }, word("name")),
    h("input", { id: `name-${id}`, name: "name", maxlength: "64", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false", placeholder: one.names[room] ?? word("name_itself") }),
    h("label", { for: `is-${id}` }, word("is")),
    h("input", { id: `is-${id}`, name: "is", maxlength: "60", autocomplete: "off" }),
    h("div", { class: "row" },
      h("button", { type: "button", "data-close": key }, word("back")),
      h("button", { class: "strong", "aria-disabled": busy && "true" }, word("save"))));
}

function rooms(key, id, room) {
  return [
    h("fieldset", {}, h("legend", {}, word("room")),
      h("div", { class: "chips" }, known.rooms.map((text) => h("button", { type: "button", "data-room": text,
        "data-of": key, "aria-pressed": room === text ? "true" : "false" }, text)))),
    h("label", { for: `room-${id}` }, word("other_room")),
    h("input", { id: `room-${id}`, name: "room", maxlength: "60", autocomplete: "off", "data-draft": key, value: room }),
  ];
}

function moving(one) {
  const key = `move-${one.name}`;
  if (!open[key]) return h("button", { type: "button", class: "wide", "data-open": key }, word("change_room"));
  return h("form", { "data-move": one.name },
    rooms(key, one.name, open[key].room ?? one.room),
    h("div", { class: "row" },
      h("button", { type: "button", "data-close": key }, word("back")),
      h("button", { class: "strong", "aria-disabled": busy && "true" }, word("save"))));
}

function verdict(link) {
  return h("span", { class: `chip ${link.verdict}` },
    `${word("link")} ${link.value === null ? "?" : Math.round(link.value)}`);
}

function device(one) {
  const key = `dev-${one.name}`;
  return h("section", { class: "card", "data-key": key, "aria-label": one.name },
    h("div", { class: "row" }, picture(one.picture),
      h("div", { class: "grow" }, h("h3", {}, one.name), h("p", { class: "quiet" }, `${one.room} · ${one.called}`),
        h("p", {}, one.joined ? one.shown.join(", ") : word("not_joined"))),
      one.link && verdict(one.link)),
    one.note && h("p", { class: "note" }, one.note),
    one.unused.map((text) => h("p", { class: "note" }, text)),
    one.placing && h("div", { class: `place ${one.link.verdict}`, "aria-live": "polite" },
      h("p", { class: "big" }, one.link.words),
      h("p", {}, word("heard", { n: one.placing.frames })
        + (one.placing.weakest !== null ? `, ${word("weakest")} ${Math.round(one.placing.weakest)}` : "")),
      act({ do: "placed", device: one.name }, word("placed"), { class: "strong wide" })),
    h("div", { class: "row" },
      one.radio && !one.placing && act({ do: "place", device: one.name }, word("try_link")),
      h("button", { type: "button", [open[key] ? "data-close" : "data-open"]: key,
        "aria-expanded": open[key] ? "true" : "false" }, word("more"))),
    open[key] && h("div", { class: "more" },
      h("p", {}, `${word("serves")} ${one.rules.join(", ") || word("no_rule")}`),
      one.fits.length > 0 && h("p", { class: "quiet" }, word("could_add")),
      one.fits.map((fit) => act({ do: "use", device: one.name, rule: fit.rule },
        [h("strong", {}, fit.rule), " ", fit.says], { class: "wide left" })),
      moving(one),
      one.radio && act({ do: "replace", device: one.name }, word("replace"), { class: "wide" })));
}

function test() {
  const walk = known.walk;
  if (walk === null) return [h("p", {}, word("walk_about")), act({ do: "walk" }, word("walk_begin"), { class: "strong wide" })];
  return [
    h("p", { class: "big", role: "status" }, word("walk_count", { n: walk.passed, of: walk.rows.length })),
    h("progress", { max: String(Math.max(1, walk.rows.length)), value: String(walk.passed), "aria-label": word("tab_test") }),
    walk.active ? h("p", { class: "quiet" }, word("walk_about"))
      : [h("p", { class: "bad banner" }, word("walk_paused", { at: walk.begun })),
        act({ do: "walk" }, word("walk_on"), { class: "strong wide" }),
        act({ do: "walk", anew: true }, word("walk_anew"), { class: "wide" })],
    h("h2", {}, word("devices")),
    walk.rows.map(row),
    h("h2", {}, word("alerts")),
    walk.lines.map(line),
    walk.active && act({ do: "pause" }, word("walk_pause"), { class: "wide" }),
  ];
}

function row(one) {
  return h("section", { class: `card test ${one.passed ? "passed" : "missing"}`, "data-key": `row-${one.device}`,
    "aria-label": `${one.device}: ${word(one.passed ? "passed" : "untested")}` },
    h("div", { class: "row" }, picture(one.picture),
      h("div", { class: "grow" }, h("h3", {}, one.device), h("p", { class: "quiet" }, `${one.room} · ${one.called}`)),
      h("span", { class: "mark" }, one.passed ? `✓ ${one.at}` : word("untested"))),
    one.trouble && h("p", { class: "bad" }, one.trouble),
    one.checks.length === 0 && h("p", { class: "bad" }, word("says_nothing")),
    one.checks.map((check) => h("div", { class: "check" },
      h("span", {}, `${check.called}: `),
      check.wants.map((want) => h("span", { class: want.at ? "done" : "todo" },
        `${want.at ? "✓" : "○"} ${want.words}${want.at ? ` ${want.at}` : ""}`)),
      check.output && known.walk.active && h("div", { class: "row" },
        act({ do: "try", point: check.point }, word("turn_on")),
        act({ do: "try", point: check.point, on: false }, word("turn_off")),
        act({ do: "tried", point: check.point, works: true }, word("it_did"), { class: "strong" }),
        act({ do: "tried", point: check.point, works: false }, word("it_did_not"))),
      check.failed && h("p", { class: "bad" }, word("did_nothing")))),
    remark(one));
}

function remark(one) {
  const key = `remark-${one.device}`, asks = word(one.remark ? "remark_change" : "remark");
  if (!open[key]) {
    return h("div", { class: "row" },
      one.remark && h("p", { class: "grow" }, `${word("remark")}: ${one.remark}`),
      h("button", { type: "button", class: "small", "data-open": key, "aria-label": `${asks}, ${one.device}` }, asks));
  }
  return h("form", { "data-remark": one.device },
    h("label", { for: key }, word("remark")),
    h("input", { id: key, name: "text", maxlength: "200", autocomplete: "off", value: one.remark }),
    h("div", { class: "row" },
      h("button", { type: "button", "data-close": key }, word("back")),
      h("button", { class: "strong", "aria-disabled": busy && "true" }, word("save"))));
}

function line(one) {
  const state = one.passed ? "passed" : one.at_once ? "missing" : "slow";
  return h("section", { class: `card test ${state}`, "data-key": `line-${one.rule}` },
    h("h3", {}, one.rule),
    !one.at_once && !one.passed && h("p", { class: "quiet" }, word("takes_time")),
    one.parties.length === 0 && h("p", { class: "quiet" }, word("stays_home")),
    one.parties.map((told) => h("p", { class: told.passed ? "done" : "todo" },
      `${told.called}: `,
      told.sent ? `${word("sent")} ${told.sent}${told.test ? ` ${word("as_test")}` : ` ${word("not_as_test")}`}` : word("not_sent"),
      told.arrived && ` · ${word("arrived")} ${told.arrived}`,
      told.acknowledged ? ` · ✓ ${told.by} ${told.acknowledged}` : told.sent && ` · ${word("not_acknowledged")}`)));
}

function report() {
  const walk = known.walk;
  if (walk === null) return [h("p", {}, word("report_first"))];
  const red = walk.rows.filter((one) => !one.passed);
  return [
    h("p", { class: walk.accepted ? "good big" : "bad big" }, word(walk.accepted ? "all_good" : "not_yet")),
    h("ul", {}, red.map((one) => h("li", {}, `${one.device} (${one.room}): ${word("untested")}`)),
      walk.lacks.map((text) => h("li", {}, text))),
    h("form", { id: "finish", class: "card" },
      h("label", { for: "by" }, word("who")),
      h("input", { id: "by", name: "by", required: true, maxlength: "80", autocomplete: "name" }),
      h("button", { class: "strong wide", "aria-disabled": busy && "true" }, word("finish"))),
    known.report && h("p", {}, h("a", { class: "button wide", href: "/report.pdf", target: "_blank" }, word("show_pdf"))),
  ];
}

// --- fingers

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button === null || button.disabled || button.ariaDisabled) return;
  const { do: what, tab: wanted, open: opened, close: closed, room, of, language: chosen } = button.dataset;
  if (what) wish(JSON.parse(what));
  else if (wanted) { tab = wanted; draw(); scrollTo(0, 0); place("main").focus({ preventScroll: true }); }
  else if (opened) { open[opened] = {}; draw(); }
  else if (closed) { delete open[closed]; draw(); }
  else if (room) {
    open[of].room = room;
    draw();
    const typed = button.form?.elements.room;
    if (typed) typed.value = room;
  } else if (chosen) { language = chosen; keep("language", chosen); start(); }
});

document.addEventListener("input", (event) => {
  const key = event.target.dataset?.draft;
  if (key && open[key]) { open[key].room = event.target.value; draw(); }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, typed = Object.fromEntries(new FormData(form));
  if (form.id === "door") enter(typed.code);
  else if (form.id === "finish") wish({ do: "finish", ...typed });
  else if (form.dataset.name) {
    const found = await wish({ do: "name", address: form.dataset.name, ...typed });
    if (found?.ok) delete open[`new-${form.dataset.name}`];
  } else if (form.id === "by-code") {
    const found = await wish({ do: "open", ...typed });
    if (found?.ok) { delete open.code; draw(); }
  } else if (form.dataset.move) {
    const found = await wish({ do: "move", device: form.dataset.move, room: typed.room });
    if (found?.ok) { delete open[`move-${form.dataset.move}`]; draw(); }
  } else if (form.dataset.remark) {
    const found = await wish({ do: "remark", device: form.dataset.remark, ...typed });
    if (found?.ok) { delete open[`remark-${form.dataset.remark}`]; draw(); }
  }
});

async function start() {
  words = await (await fetch(`/words?language=${language}`)).json();
  const code = location.hash.slice(1);
  if (/^[2-9A-Z]{8}$/.test(code)) {
    history.replaceState(null, "", "/");
    draw();
    await enter(code);
    return;
  }
  draw();
  listen();
}

start();
