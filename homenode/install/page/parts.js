// Elements from data. All text goes in as text: what a device calls itself is never markup.

export function h(tag, attributes, ...children) {
  const node = tag === "svg" || tag === "use"
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

export function picture(name) {
  return h("svg", { class: "picture", "aria-hidden": "true" }, h("use", { href: `/pictures.svg#${name}` }));
}

// Make `old` look like `fresh` and keep what is the same, so that a finger, a focus and a half-typed word stay.
export function patch(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const keyed = new Map([...old.children].filter((one) => one.dataset?.key).map((one) => [one.dataset.key, one]));
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    let have = key ? keyed.get(key) : at;
    if (have && !same(have, wanted)) have = null;
    if (!have) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (have !== at) old.insertBefore(have, at);
    else at = at.nextSibling;
    if (have.nodeType === Node.TEXT_NODE) {
      if (have.data !== wanted.data) have.data = wanted.data;
    } else {
      patch(have, wanted);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function same(one, other) {
  return one.nodeName === other.nodeName && (one.dataset?.key ?? "") === (other.dataset?.key ?? "");
}
