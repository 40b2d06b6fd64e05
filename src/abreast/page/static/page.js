// Keeps a page current: one stream of events, each with the elements that have changed, by id.
// Without it the page is the same, as of the moment at which it was loaded.
"use strict";

const parts = document.getElementById("parts");
const live = document.getElementById("live");

function made(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html; // our own server's, in which all that is foreign is escaped
  return holder.content.firstElementChild;
}

// To which question a field or a button belongs: what is meant for one must not reach another.
function asked(field) {
  return field.form?.elements.namedItem("question")?.value ?? "";
}

// What a person has typed and opened outlives the element that it is in.
function keep(before, after) {
  for (const field of before.querySelectorAll("textarea, input")) {
    const twin = field.id
      ? after.querySelector(`#${CSS.escape(field.id)}`)
      : [...after.querySelectorAll("input")].find(
          (one) => one.name === field.name && one.value === field.value
            && asked(one) === asked(field));
    if (!twin) continue;
    if (field.type === "checkbox" || field.type === "radio") twin.checked = field.checked;
    else if (field.type !== "hidden") twin.value = field.value;
  }
  const opened = [...before.querySelectorAll("details")].map((one) => one.open);
  after.querySelectorAll("details").forEach((one, at) => { one.open = opened[at] ?? one.open; });
}

function pathTo(element, top) {
  const path = [];
  for (let at = element; at !== top; at = at.parentElement) {
    path.unshift([...at.parentElement.children].indexOf(at));
  }
  return path;
}

function replace(before, after) {
  const focused = before.contains(document.activeElement) ? document.activeElement : null;
  const question = focused ? asked(focused) : "";
  const path = focused && pathTo(focused, question ? focused.form : before);
  const range = focused && "selectionStart" in focused
    ? [focused.selectionStart, focused.selectionEnd] : null;
  keep(before, after);
  before.replaceWith(after);
  if (!focused) return;
  const top = question
    ? [...after.querySelectorAll("[name=question]")].find((one) => one.value === question)?.form
    : after;
  if (!top) return;
  let target = path.reduce((at, n) => at && at.children[n], top);
  if (!target || target.tagName !== focused.tagName) target = top.querySelector("a, button");
  if (!target) return;
  target.focus({ preventScroll: true });
  if (range && range[0] !== null && "setSelectionRange" in target) {
    target.setSelectionRange(...range);
  }
}

function patch({ set = {}, order }) {
  for (const [id, html] of Object.entries(set)) {
    const after = made(html), before = document.getElementById(id);
    if (before) replace(before, after);
    else parts.append(after);
  }
  if (!order) return;
  const wanted = new Set(order);
  for (const child of [...parts.children]) if (!wanted.has(child.id)) child.remove();
  order.forEach((id, at) => {
    const element = document.getElementById(id);
    if (element && parts.children[at] !== element) {
      const focused = element.contains(document.activeElement) ? document.activeElement : null;
      parts.insertBefore(element, parts.children[at] ?? null);
      focused?.focus({ preventScroll: true });
    }
  });
}

function ages() {
  const now = Date.now() / 1000;
  for (const one of document.querySelectorAll("time.ago")) {
    const seconds = Math.max(0, now - Number(one.dataset.at));
    const [size, unit] = seconds >= 86400 ? [86400, "d"] : seconds >= 3600 ? [3600, "h"]
      : seconds >= 60 ? [60, "m"] : [1, "s"];
    one.textContent = `${Math.floor(seconds / size)}${unit}`;
  }
}

function follow() {
  const source = new EventSource(parts.dataset.events);
  source.onmessage = (event) => {
    live.hidden = true;
    patch(JSON.parse(event.data));
    title();
    ages();
  };
  source.onerror = () => {
    live.textContent = source.readyState === EventSource.CLOSED
      ? "no longer live: reload the page" : "the server does not answer: trying again";
    live.hidden = false;
  };
}

const plain = document.title;
function title() {
  const line = document.getElementById("line");
  const found = line && line.textContent.trim();
  document.title = found && found.includes("need") ? `${found.split(",")[0]} - ${plain}` : plain;
}

// The keys of the board in the terminal. Ctrl+. turns them off, and on again, in this browser.
const KEYS = "abreast-keys";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === ".") {
    localStorage.setItem(KEYS, localStorage.getItem(KEYS) === "off" ? "on" : "off");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS) === "off") return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const links = [...document.querySelectorAll(".row .task")];
  const at = links.indexOf(document.activeElement);
  const kinds = { l: "land", r: "resume", x: "stop", u: "undo", " ": "reply" };
  if (event.key === "j" || event.key === "k") {
    (links[at + (event.key === "j" ? 1 : -1)] ?? links[event.key === "j" ? 0 : links.length - 1])?.focus();
  } else if (event.key === "n") {
    document.querySelector(".row.g-needs-you .task")?.focus();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("q")?.focus();
  } else if (event.key === "d") {
    document.querySelector("[data-key=d]")?.click();
  } else if (kinds[event.key]) {
    const found = document.querySelector(`[data-kind=${kinds[event.key]}]`)
      ?? (event.key === "r" ? document.querySelector("[data-kind=retry]") : null);
    if (found) { event.preventDefault(); found.click(); }
  }
});

if (parts && parts.dataset.events) follow();
title();
ages();
setInterval(ages, 10000);
