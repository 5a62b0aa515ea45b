// One look: an offer to the home through the console, the answer back, and a lease that is renewed while we look.
// No STUN: the home's own candidates are in its answer, and we don't wait for ours.

const place = (id) => document.getElementById(id);
const [form, picture, state, frozen] = ["ask", "picture", "state", "frozen"].map(place);
const RENEW_MS = 5_000;
const FROZEN_MS = 3_000;

let peer = null;
let session = "";
let ticking = 0;
let frames = 0;
let moved = 0;

async function post(path, body, keepalive = false) {
  const answer = await fetch(path, {
    method: "POST", keepalive,
    headers: { "Content-Type": "application/json", "X-CSRF": form.dataset.csrf },
    body: JSON.stringify(body),
  });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? answer.statusText);
  return found;
}

async function start() {
  place("start").disabled = true;
  say(form.dataset.waiting);
  const mine = peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.ontrack = (event) => {
    picture.srcObject = new MediaStream([event.track]);
    event.track.onended = () => over();
  };
  peer.onconnectionstatechange = () => {
    if (mine.connectionState === "failed" || mine.connectionState === "closed") over();
  };
  await peer.setLocalDescription();
  const found = await post("/video/ask", {
    home: form.dataset.home, camera: form.dataset.camera,
    view: new FormData(form).get("view"), reason: form.elements.reason.value.trim(),
    sdp: peer.localDescription.sdp,
  });
  session = found.session;
  place("stop").disabled = false;
  await peer.setRemoteDescription({ type: "answer", sdp: found.sdp });
  ticking = setInterval(renew, RENEW_MS);
  watch(mine);
}

async function renew() {
  const mine = session;
  try {
    await post("/video/renew", { session: mine });
  } catch (error) {
    if (mine === session) over(error.message);
  }
}

function watch(mine) {
  moved = performance.now();
  const seen = () => {
    if (mine !== peer) return;
    frames += 1;
    moved = performance.now();
    if (frames === 1) say(form.dataset.live);
    picture.dataset.frames = frames;
    picture.requestVideoFrameCallback(seen);
  };
  frames = 0;
  picture.requestVideoFrameCallback(seen);
  const look = setInterval(() => {
    if (mine !== peer) { clearInterval(look); return; }
    tell(frames && performance.now() - moved > FROZEN_MS ? form.dataset.frozen : "");
  }, 500);
}

function over(why) {
  if (!peer) return;
  const [old, ended] = [peer, session];
  peer = null;
  session = "";
  clearInterval(ticking);
  old.close();
  picture.srcObject = null;
  place("start").disabled = false;
  place("stop").disabled = true;
  say(why ?? form.dataset.ended);
  tell("");
  if (ended) post("/video/end", { session: ended }, true).catch(() => {});
}

function say(text) { if (state.textContent !== text) state.textContent = text; }

function tell(text) {
  if (frozen.textContent === text) return;
  frozen.textContent = text;
  frozen.className = text ? "banner bad" : "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!peer) start().catch((error) => over(error.message));
});
place("stop").addEventListener("click", () => over());
addEventListener("pagehide", () => over());
