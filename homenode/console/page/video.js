// A look: an offer to the home through the console, the answer back, and a lease that is renewed while we look.
// Without relays no server is asked: the home's own candidates are in its answer, and we don't wait for ours.
// It is no module: those run when the page is whole, and a button that is pressed before that goes nowhere.

const RENEW_MS = 5_000;
const FROZEN_MS = 3_000;
const GATHERED_MS = 3_000;

let on = null;   // the one look of this page: its section, session and peer

async function post(look, path, body, keepalive = false) {
  const answer = await fetch(path, {
    method: "POST", keepalive,
    headers: { "Content-Type": "application/json", "X-CSRF": look.place.dataset.csrf },
    body: JSON.stringify(body),
  }).catch(() => { throw new Error(look.place.dataset.console); });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

// Another peer takes the place of the one before, which the home lets go of.
async function connect(look) {
  const iceServers = JSON.parse(look.place.dataset.relays);
  const peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
  look.peer?.close();
  look.peer = peer;
  look.frames = 0;
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.ontrack = (event) => { look.video.srcObject = new MediaStream([event.track]); };
  peer.onconnectionstatechange = () => {
    if (peer === look.peer && ["failed", "closed"].includes(peer.connectionState)) lost(look);
  };
  await peer.setLocalDescription();
  if (iceServers.length) await gathered(peer);
  return peer.localDescription.sdp;
}

function gathered(peer) {
  return new Promise((done) => {
    peer.onicecandidate = ({ candidate }) => { if (!candidate || candidate.type === "relay") done(); };
    setTimeout(done, GATHERED_MS);
  });
}

async function start(place) {
  const form = place.querySelector("form");
  const look = on = { place, video: place.querySelector("video"), session: "", moved: 0, frames: 0, warning: "" };
  place.classList.add("on");
  busy(look, true);
  place.querySelector(".strong").disabled = true;
  say(look, place.dataset.waiting);
  const sdp = await connect(look);
  const { home, camera } = place.dataset;
  const reason = form.elements.reason.value.trim();
  await answered(look, await post(look, "/video/ask", { home, camera, view: form.elements.view.value, reason, sdp }));
  place.querySelector(".stop").disabled = false;
  look.ticking = setInterval(renew, RENEW_MS, look);
  look.looking = setInterval(watch, 500, look);
}

async function change(look, view) {
  busy(look, true);
  say(look, look.place.dataset.waiting);
  const sdp = await connect(look);
  await answered(look, await post(look, "/video/view", { session: look.session, view, sdp }));
}

async function answered(look, { session, sdp }) {
  look.session = session;
  if (look !== on) { end(look); return; }
  look.moved = performance.now();
  const peer = look.peer;
  await peer.setRemoteDescription({ type: "answer", sdp });
  const seen = () => {
    if (look !== on || peer !== look.peer) return;
    look.frames += 1;
    look.moved = performance.now();
    if (look.frames === 1) { look.video.hidden = false; watch(look); }
    look.video.dataset.frames = look.frames;
    look.video.requestVideoFrameCallback(seen);
  };
  look.video.requestVideoFrameCallback(seen);
  busy(look, false);
}

async function renew(look) {
  try {
    look.warning = (await post(look, "/video/renew", { session: look.session })).warning;
  } catch (error) {
    over(look, error.message);
  }
}

// Without pictures nothing is live; the home knows why before its lease is to be renewed.
function watch(look) {
  const stood = look.stands;
  look.stands = look.frames > 0 && performance.now() - look.moved > FROZEN_MS;
  tell(look, look.stands ? look.place.dataset.frozen : look.warning);
  if (look.frames) say(look, look.stands || look.warning ? "" : look.place.dataset.live);
  if (look.stands && !stood) renew(look);
}

// The home says why, or that for it the look goes on.
async function lost(look) {
  if (look.session) await renew(look);
  over(look, look.place.dataset.unreached);
}

function end(look) {
  post(look, "/video/end", { session: look.session }, true).catch(() => {});
}

function over(look, why) {
  if (!look || look !== on) return;
  clearInterval(look.ticking);
  clearInterval(look.looking);
  look.peer?.close();
  look.video.srcObject = null;
  look.video.hidden = true;
  look.place.querySelector(".strong").disabled = false;
  look.place.querySelector(".stop").disabled = true;
  busy(look, false);
  say(look, why ?? look.place.dataset.ended);
  tell(look, "");
  if (look.session) end(look);
  look.place.classList.remove("on");
  on = null;
}

function busy(look, is) {
  for (const one of look.place.querySelectorAll("[name=view]")) one.disabled = is;
}

function say(look, text) {
  const state = look.place.querySelector("[role=status]");
  if (state.textContent !== text) state.textContent = text;
}

function tell(look, text) {
  const wrong = look.place.querySelector("[role=alert]");
  if (wrong.textContent === text) return;
  wrong.textContent = text;
  wrong.className = text ? "banner bad" : "";
}

// What a page is sent later is heard, too.
document.addEventListener("submit", (event) => {
  const place = event.target.closest(".look");
  if (!place) return;
  event.preventDefault();
  if (on) over(on);
  start(place).catch((error) => over(on?.place === place ? on : null, error.message));
});
document.addEventListener("change", (event) => {
  const look = on;
  if (event.target.name !== "view" || !look?.session || event.target.closest(".look") !== look.place) return;
  change(look, event.target.value).catch((error) => over(look, error.message));
});
document.addEventListener("click", (event) => {
  if (on && event.target.matches(".stop")) over(on);
});
addEventListener("pagehide", () => { if (on) over(on); });
