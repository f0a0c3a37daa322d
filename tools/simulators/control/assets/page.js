"use strict";
// Asks the control API every second what is new, and calls it when somebody presses a button.

const byId = (id) => document.getElementById(id);
let place = null; // {channel, account, customer} of the conversation that is shown
let seen = 0; // the position of the last entry that is shown
let replyTo = null;

function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function makeButton(text, action) {
  const button = make("button", text, { type: "button" });
  button.addEventListener("click", () => attempt(action));
  return button;
}

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

async function attempt(action) {
  try {
    await action();
    byId("problem").textContent = "";
    await refresh();
  } catch (error) {
    byId("problem").textContent = error.message;
  }
}

const path = (kind) =>
  `${kind}/${place.channel}/${encodeURIComponent(place.account)}/${encodeURIComponent(place.customer)}`;
const act = (what, body, method = "POST") => call(method, `${path("customers")}/${what}`, body);
const samePlace = (a, b) => a && b && a.channel === b.channel && a.account === b.account && a.customer === b.customer;

function open(next) {
  place = { channel: next.channel, account: next.account, customer: next.customer };
  seen = 0;
  setReply(null);
  byId("entries").replaceChildren();
  byId("who").textContent = `${place.channel}: ${place.customer} and ${place.account}`;
  byId("conversation").hidden = false;
  window.location.hash = [place.channel, place.account, place.customer].map(encodeURIComponent).join("/");
}

// The address of the page names the conversation, so that it survives a reload and can be passed on.
function openFromAddress() {
  const [channel, account, customer] = window.location.hash.slice(1).split("/").map(decodeURIComponent);
  if (customer) open({ channel, account, customer });
}

function setReply(messageId) {
  replyTo = messageId;
  byId("reply").hidden = messageId === null;
  byId("reply-to").textContent = messageId ?? "";
}

// A list is built anew only when it changed, so that a button isn't replaced while it is pressed.
const shownLists = new Map();
function isNew(list, content) {
  const text = JSON.stringify(content);
  if (shownLists.get(list) === text) return false;
  shownLists.set(list, text);
  return true;
}

async function showConversations() {
  const { conversations } = await call("GET", "conversations");
  if (!isNew("conversations", [conversations, place])) return;
  const items = conversations.map((last) => {
    const button = make("button", `${last.channel} · ${last.customer}`, { type: "button" });
    if (samePlace(last, place)) button.setAttribute("aria-current", "true");
    button.append(make("small", ` ${last.kind} ${last.text}`.slice(0, 60)));
    button.addEventListener("click", () => attempt(() => open(last)));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  if (items.length === 0) items.push(make("li", "Nobody has said anything yet."));
  byId("conversations").replaceChildren(...items);
}

function entryActions(entry) {
  const id = entry.message_id;
  const actions = [makeButton("answer", () => setReply(id)), makeButton("react", () => react(id))];
  if (entry.direction === "business") return [...actions, makeButton("read", () => act("reads", { message_id: id }))];
  return [...actions, makeButton("edit", () => edit(id)), makeButton("delete", () => act("deletions", { message_id: id }))];
}

async function react(messageId) {
  const emoji = window.prompt("Emoji; none takes the reaction back", "👍");
  if (emoji !== null) await act("reactions", { message_id: messageId, emoji });
}

async function edit(messageId) {
  const text = window.prompt("The new text");
  if (text) await act("edits", { message_id: messageId, text });
}

const ABOUT_OTHERS = ["read", "reaction", "edit", "deletion", "revoke", "typing", "typing_on", "typing_off"];

function showEntry(entry) {
  const item = make("li", "", { class: entry.direction });
  const short = entry.message_id ? ` …${entry.message_id.slice(-8)}` : "";
  if (entry.direction === "service") {
    item.textContent = `${entry.kind}${short} ${entry.text}`;
    return item;
  }
  item.append(make("span", entry.text || `(${entry.kind})`));
  if (entry.media_id) item.append(make("a", " file", { href: `media/${entry.media_id}`, target: "_blank" }));
  item.append(make("small", `${entry.kind}${short} · ${new Date(entry.at * 1000).toLocaleTimeString()}`));
  if (entry.message_id && !ABOUT_OTHERS.includes(entry.kind)) item.append(...entryActions(entry));
  return item;
}

async function showEntries() {
  if (place === null) return;
  const shown = place;
  const { entries } = await call("GET", `${path("conversations")}?after=${seen}`);
  const fresh = entries.filter((entry) => entry.position > seen);
  if (shown !== place || fresh.length === 0) return;
  seen = fresh.at(-1).position;
  byId("entries").append(...fresh.map(showEntry));
  byId("entries").scrollTop = byId("entries").scrollHeight;
}

async function showFaults() {
  const { faults } = await call("GET", "faults");
  if (!isNew("faults", faults)) return;
  const items = faults.map((rule) => {
    const schedule = Object.entries(rule.schedule).map(([name, value]) => `${name} ${value}`).join("") || "always";
    const where = [rule.channel, rule.account, rule.recipient].filter(Boolean).join(" ");
    const item = make("li", `${where}: ${rule.kind}, ${schedule}; struck ${rule.struck} of ${rule.seen} `);
    item.append(makeButton("End", () => call("DELETE", `faults/${rule.id}`)));
    return item;
  });
  byId("faults").replaceChildren(...items);
}

async function showWebhooks() {
  if (byId("webhooks").querySelector("details[open]")) return; // somebody reads
  const { lost, requests } = await call("GET", "webhooks?limit=15");
  if (!isNew("webhooks", [lost, requests])) return;
  byId("lost").textContent = lost === 0 ? "" : `${lost} events were lost on purpose.`;
  const items = requests.reverse().map((request) => {
    const last = request.attempts.at(-1);
    const how = last === undefined ? "on its way" : (last.status ?? last.error);
    const details = document.createElement("details");
    details.append(make("summary", `${request.channel} ${request.events} event(s): ${how}, ${request.tries} tries`));
    details.append(make("pre", `${JSON.stringify(request.headers, null, 1)}\n${request.body}`));
    details.append(makeButton("Send again", () => call("POST", `webhooks/${request.id}/redeliver`)));
    const item = document.createElement("li");
    item.append(details);
    return item;
  });
  byId("webhooks").replaceChildren(...items);
}

async function showAccounts() {
  const { accounts } = await call("GET", "accounts");
  for (const account of accounts) {
    const row = document.querySelector(`tr[data-channel="${account.channel}"][data-account="${account.id}"]`);
    row.querySelector(".token").textContent = account.access_token;
    row.querySelector(".webhook").textContent = account.webhook_url ?? "none";
  }
}

async function refresh() {
  await Promise.all([showConversations(), showEntries(), showFaults(), showWebhooks(), showAccounts()]);
}

function readFile(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function send() {
  const message = { text: byId("text").value };
  const file = byId("file").files[0];
  if (file) {
    const type = file.type || "application/octet-stream";
    message.file = { content: await readFile(file), mime_type: type, filename: file.name };
  }
  if (replyTo !== null) message.reply_to = replyTo;
  await act("messages", message);
  byId("compose").reset();
  setReply(null);
}

function newFault(form) {
  const fields = new FormData(form);
  const often = fields.get("often");
  const n = Number(fields.get("n"));
  const fault = { channel: fields.get("channel"), kind: fields.get("kind"), seconds: Number(fields.get("seconds")) };
  if (often === "chance") fault.schedule = { chance: n / 100 };
  else if (often !== "always") fault.schedule = { [often]: n };
  if (fields.get("recipient")) fault.recipient = fields.get("recipient");
  if (fields.get("code")) fault.code = Number(fields.get("code"));
  return fault;
}

const CONTROLS = {
  read: () => act("reads", {}),
  "open-window": () => act("window", { open: true }, "PUT"),
  "close-window": () => act("window", { open: false }, "PUT"),
  block: () => act("reachable", { reachable: false }, "PUT"),
  unblock: () => act("reachable", { reachable: true }, "PUT"),
  unsupported: () => act("messages", { unsupported: true }),
};

byId("controls").addEventListener("click", (event) => {
  const action = CONTROLS[event.target.dataset.act];
  if (action) attempt(action);
});
byId("accounts").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  const row = event.target.closest("tr");
  const customer = row.querySelector("input").value.trim();
  if (customer) attempt(() => open({ channel: row.dataset.channel, account: row.dataset.account, customer }));
});
byId("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(send);
});
byId("no-reply").addEventListener("click", () => setReply(null));
byId("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => call("POST", "faults", newFault(event.target)));
});
byId("clear-faults").addEventListener("click", () => attempt(() => call("DELETE", "faults")));

async function live() {
  try {
    await refresh();
  } catch (error) {
    byId("problem").textContent = `The simulators don't answer: ${error.message}`;
  }
  setTimeout(live, 1000);
}
openFromAddress();
live();
