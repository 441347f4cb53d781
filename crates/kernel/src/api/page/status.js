// The status page: asks the API for reports and shows them. Every text goes through
// textContent, so nothing that a report says can become part of the page itself.
"use strict";

const REFRESH_MS = 2000;
// Only what everybody may see: each answer to anything else has an entry in the audit trail.
const OVERVIEW = [
  ["net/interfaces", "Network"], ["dhcp/leases", "Address lease"], ["status", "System"],
  ["tpm/status", "Measured boot"], ["audit/compliance", "Requirements"],
  ["device/list", "Devices"], ["firewall/status", "Firewall"], ["firewall/list", "Firewall rules"],
  ["threads", "Threads"], ["mem/status", "Memory"], ["disk/list", "Disks"], ["api/status", "API"],
  ["log", "Log"],
];
const PAGES = [
  ["", "Overview", OVERVIEW],
  ["machine", "Machine", [["cpu", "Processor"], ["mem/status", "Memory"], ["mem/map", "Memory map"],
    ["irq", "Interrupts"], ["device/list", "Devices"], ["disk/list", "Disks"], ["version", "Version"]]],
  ["network", "Network", [["net/interfaces", "Interfaces"], ["net/status", "Traffic"], ["net/routes", "Routes"],
    ["net/neighbours", "Neighbours"], ["net/sockets", "Sockets"], ["net/names", "Names"], ["dhcp/status", "Address lease"],
    ["firewall/status", "Firewall"], ["firewall/list", "Firewall rules"], ["api/status", "API"],
    ["api/requests", "Last requests"]]],
  ["security", "Security", [["audit/compliance", "Requirements", "whole"], ["tpm/status", "Measured boot"],
    ["security/status", "Policy"], ["audit/status", "Audit trail"], ["security/policies", "Rules of the policy"],
    ["cap/list", "Rights", "whole"], ["tpm/log", "Measurements", "whole"]]],
  ["log", "Log", [["log", "Log"]]],
  ["limits", "Limits", [["limits", "Limits"]]],
  ["commands", "Commands", null],
];

// Asked by hand, not again and again: what others did is for who has the token.
const WITH_TOKEN = {
  security: ["audit/tail", "audit/verify", "audit/anchors", "cap/audit", "device/audit", "tpm/pcrs", "tpm/verify"],
};

const byId = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const child of children.flat()) {
    if (child != null) element.append(child); // A string becomes a text node.
  }
  return element;
}

// ---- Asking ----------------------------------------------------------------------------

let isTokenWanted = false;

// What a browser would round stays as it was written, where the browser tells.
function wholeNumber(key, value, context) {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && context ? context.source : value;
}

async function ask(path, token = sessionStorage.getItem("token")) {
  const headers = {};
  if (token) headers.Authorization = "Bearer " + token;
  const response = await fetch("/api/v1/" + path, { headers, signal: AbortSignal.timeout(8000) });
  if (response.status === 401) {
    isTokenWanted = true;
    // Five wrong ones shut this browser out for a minute.
    sessionStorage.removeItem("token");
  }
  const answer = JSON.parse(await response.text(), wholeNumber);
  answer.status = response.status;
  return answer;
}

// ---- Values for people -----------------------------------------------------------------

function scaled(value, units, step) {
  let index = 0;
  while (value >= step && index < units.length - 1) { value /= step; index += 1; }
  const digits = index === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits) + " " + units[index];
}

function span(nanos) {
  const seconds = nanos / 1e9;
  if (seconds < 60) return nanos < 1000 ? nanos + " ns" : scaled(nanos / 1000, ["µs", "ms", "s"], 1000);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  return parts.slice(first, first + 2)
    .map(([size, name], index) => Math.floor((seconds % (index ? parts[first][0] : Infinity)) / size) + " " + name)
    .join(" ");
}

const UNITS = [
  ["mtu_bytes", (value) => value.toLocaleString("en") + " B"],
  ["_bytes_per_s", (value) => scaled(value, ["B/s", "KiB/s", "MiB/s", "GiB/s"], 1024)],
  ["_bits_per_s", (value) => scaled(value, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"], 1000)],
  ["_bytes", (value) => scaled(value, ["B", "KiB", "MiB", "GiB", "TiB"], 1024)],
  ["_ns", span],
  ["_us", (value) => span(value * 1e3)],
  ["_ms", (value) => span(value * 1e6)],
  ["_s", (value) => span(value * 1e9)],
  ["_hz", (value) => scaled(value, ["Hz", "kHz", "MHz", "GHz"], 1000)],
  ["_per_s", (value) => value.toLocaleString("en") + "/s"],
  ["_ratio", (value) => (value * 100).toFixed(1) + " %"],
];

const unitOf = (key) => UNITS.find(([suffix]) => key.endsWith(suffix) || key === suffix.slice(1));

function nameOf(key) {
  const unit = unitOf(key);
  if (key === "mtu_bytes") return "mtu";
  const name = unit && unit[0] !== "_per_s" && key.endsWith(unit[0]) ? key.slice(0, -unit[0].length) : key;
  return name.replaceAll("_", " ");
}

function shown(key, value) {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    const unit = unitOf(key);
    return unit ? unit[1](value) : value.toLocaleString("en");
  }
  return String(value);
}

const CHIPS = {
  good: ["up", "bound", "driven", "running", "allow", "online", "ok", "established", "preferred", "reachable", "ready", "yes", "info",
    "attested", "tpm", "met", "measured", "allowed", "passes", "the chain holds"],
  warn: ["warn", "stale", "deprecated", "tentative", "idle", "selecting", "requesting", "renewing", "rebinding", "probing", "refused",
    "warning", "unknown", "to come", "measuring", "software (not attested)", "software"],
  bad: ["error", "gone", "duplicate", "down", "failed", "deny", "drop",
    "critical", "violated", "denied", "denies", "not attested: something was not measured"],
};
const CHIP_COLUMNS = ["state", "level", "action", "link", "default",
  "measured_boot", "registers", "kept_by", "outcome", "effect", "says", "result", "in", "newest_in"];
const kindOf = (text) => Object.keys(CHIPS).find((one) => CHIPS[one].includes(text.toLowerCase()));

function valueNode(key, value) {
  const text = shown(key, value);
  if (value === null || value === undefined) return make("span", { class: "unknown" }, text);
  if (typeof value === "string" && CHIP_COLUMNS.includes(key)) {
    return make("span", { class: "chip " + (kindOf(value) || "") }, text);
  }
  if (/^[0-9a-f]{32,}$/.test(text)) return make("span", { class: "mono" }, text);
  // Sets may break behind each of their words.
  return text.includes("|") ? text.split("|").flatMap((word, index) => (index ? ["|", make("wbr"), word] : [word])) : text;
}

// ---- Reports ---------------------------------------------------------------------------

function fieldsNode(block) {
  const list = make("dl", { class: "fields" });
  for (const [key, value] of Object.entries(block.fields)) {
    list.append(make("dt", {}, nameOf(key)), make("dd", {}, valueNode(key, value)));
  }
  return list;
}

function tableNode(block) {
  if (!block.rows.length) return make("p", { class: "empty" }, "none");
  const isNumber = block.columns.map((_, index) => block.rows.some((row) => typeof row[index] === "number"));
  const isLong = block.columns.map((_, index) =>
    block.rows.some((row) => typeof row[index] === "string" && row[index].length > 44));
  const kind = (index) => (isNumber[index] ? "number" : isLong[index] ? "long" : null);
  const head = make("tr", {}, block.columns.map((column, index) =>
    make("th", { scope: "col", class: kind(index) }, nameOf(column))));
  // What has not happened is not shown in colours.
  const isNothing = (row) => row.length === 2 && row[1] === 0;
  const rows = block.rows.map((row) => make("tr", { class: isNothing(row) ? "nothing" : null }, row.map((value, index) =>
    make("td", { class: kind(index) }, valueNode(block.columns[index], value)))));
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows)));
}

function blockNode(block, hasTitle) {
  const title = hasTitle && block.title ? make("h3", {}, block.title) : null;
  const body = block.kind === "fields" ? fieldsNode(block)
    : block.kind === "table" ? tableNode(block)
      : make("pre", { class: "lines mono" }, (block.lines || []).join("\n"));
  return make("section", { class: "block" }, title, body);
}

function cardNode(path, title, answer, width) {
  const heading = make("h2", {}, title, make("code", {}, path.replaceAll("/", " ")));
  const kind = { class: "card " + (width || "") };
  if (!answer.ok) {
    return make("article", kind, heading,
      make("p", { class: answer.status === 401 ? "refused" : "error" }, answer.error));
  }
  const blocks = answer.report.filter((block) => block.kind !== "table" || block.rows.length || answer.report.length === 1);
  return make("article", kind, heading, blocks.map((block) => blockNode(block, blocks.length > 1 || block.kind !== "table")));
}

// Tables that are wider than their place become lists of records: nothing is cut off.
function fitTables() {
  for (const scroll of document.querySelectorAll(".scroll")) {
    if (scroll.scrollWidth <= scroll.clientWidth) continue;
    const names = [...scroll.querySelectorAll("th")].map((cell) => cell.textContent);
    const records = [...scroll.querySelectorAll("tbody tr")].map((row) => {
      const record = make("dl", { class: "record" });
      [...row.children].forEach((cell, index) => {
        const isLong = cell.classList.contains("long");
        record.append(make("div", { class: isLong ? "whole" : null },
          make("dt", {}, names[index]), make("dd", {}, ...cell.childNodes)));
      });
      return record;
    });
    scroll.replaceWith(make("div", { class: "records" }, records));
  }
}

// ---- Tiles -----------------------------------------------------------------------------

function field(answer, ...keys) {
  for (const block of (answer && answer.ok && answer.report) || []) {
    if (block.kind !== "fields") continue;
    for (const key of keys) if (block.fields[key] != null) return block.fields[key];
  }
  return null;
}

function column(answer, test, key) {
  for (const block of (answer && answer.ok && answer.report) || []) {
    const index = block.kind === "table" ? block.columns.findIndex(test) : -1;
    if (index < 0) continue;
    for (const row of block.rows) if (row[index] != null && (!key || key(block, row))) return row[index];
  }
  return null;
}

function tile(title, value, detail, share, kind) {
  const meter = share == null ? null : make("div", { class: "meter" + (share > .85 ? " high" : "") },
    make("span", {}));
  if (meter) meter.firstChild.style.width = Math.round(share * 100) + "%";
  const look = "value" + (kind ? " " + kind : "") + (value.length > 10 ? " long" : "");
  return make("section", { class: "tile" }, make("h2", {}, title), make("div", { class: look }, value),
    detail ? make("div", { class: "detail" }, detail) : null, meter);
}

function tilesNode(answers) {
  const status = answers.get("status");
  const tiles = [];
  const uptime = field(status, "uptime_ns");
  if (uptime != null) {
    const ready = field(status, "ready_at_ns");
    tiles.push(tile("Up for", span(uptime), ready == null ? null : "ready after " + span(ready)));
  }
  const address = field(answers.get("dhcp/leases"), "address")
    || column(answers.get("dhcp/leases"), (name) => name === "address")
    || column(answers.get("net/interfaces"), (name) => name === "address" || name === "ipv4");
  if (address) tiles.push(tile("Address", String(address), leaseDetail(answers.get("dhcp/leases"))));
  const total = field(status, "memory_total_bytes");
  const free = field(status, "memory_free_bytes");
  if (total && free != null) {
    tiles.push(tile("Memory", shown("_bytes", total - free), "of " + shown("_bytes", total), (total - free) / total));
  }
  const online = field(status, "cores_online");
  if (online != null) tiles.push(tile("Cores", online + " of " + field(status, "cores_present"), field(status, "threads") + " threads"));
  const boot = field(status, "measured_boot");
  if (boot != null) tiles.push(tile("Measured boot", boot, bootDetail(answers.get("tpm/status")), null, kindOf(boot)));
  const compliance = answers.get("audit/compliance");
  const met = field(compliance, "met");
  if (met != null) {
    const [violated, unknown] = [field(compliance, "violated"), field(compliance, "unknown")];
    tiles.push(tile("Requirements", met + " of " + (met + violated + unknown) + " met",
      violated + " violated, " + unknown + " unknown", null, violated ? "bad" : unknown ? "warn" : "good"));
  }
  const requests = field(answers.get("api/status"), "requests");
  if (requests != null) tiles.push(tile("Requests", requests.toLocaleString("en"), shown("sent_bytes", field(answers.get("api/status"), "sent_bytes")) + " sent"));
  return make("div", { class: "tiles" }, tiles);
}

function bootDetail(tpm) {
  const phases = ((tpm && tpm.ok && tpm.report) || []).find((block) => block.title === "phases");
  if (!phases) return null;
  const state = phases.columns.indexOf("state");
  const measured = phases.rows.filter((row) => row[state] === "measured");
  return measured.length + " of " + phases.rows.length + " phases measured";
}

function leaseDetail(dhcp) {
  const state = field(dhcp, "state") || column(dhcp, (name) => name === "state");
  const server = field(dhcp, "server") || column(dhcp, (name) => name === "server");
  return [state && "lease " + state, server && "from " + server].filter(Boolean).join(" ") || null;
}

// ---- Pages -----------------------------------------------------------------------------

const here = () => decodeURIComponent(location.hash.replace(/^#\/?/, ""));
let missing = new Set();
let turn = 0;

async function showReports(entries, name, mine) {
  const answers = new Map();
  const wanted = entries.filter(([path]) => !missing.has(path));
  await Promise.all(wanted.map(async ([path]) => {
    const answer = await ask(path);
    // This kernel has no such command.
    if (answer.status === 404) missing.add(path);
    else answers.set(path, answer);
  }));
  if (mine !== turn) return;
  const version = field(answers.get("status"), "version");
  if (version) byId("version").textContent = version;
  const cards = wanted.filter(([path]) => answers.has(path))
    .map(([path, title, width]) => cardNode(path, title, answers.get(path), width));
  const isWide = entries.length === 1;
  byId("main").replaceChildren(...(name === "" ? [tilesNode(answers)] : []),
    make("div", { class: "cards" + (isWide ? " wide" : "") }, cards), ...moreNodes(WITH_TOKEN[name]));
  fitTables();
}

function moreNodes(paths) {
  if (!paths) return [];
  const links = paths.flatMap((path, index) =>
    [index ? ", " : "", make("a", { href: "#/commands/" + path }, path.replaceAll("/", " "))]);
  return [make("p", { class: "more" }, "What others did, and the registers, are shown with the token: ", links, ".")];
}

async function showCommands(words, mine) {
  const parts = words.split("/").filter(Boolean).map(encodeURIComponent);
  const answer = parts.length ? await ask(parts.join("/")) : await ask("");
  if (mine !== turn) return;
  const input = make("input", { placeholder: "mem status", "aria-label": "a command that looks", value: words.replaceAll("/", " "), autocomplete: "off", spellcheck: "false" });
  const form = make("form", { class: "ask" }, input, make("button", { type: "submit" }, "Ask"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = "#/commands/" + input.value.trim().split(/\s+/).map(encodeURIComponent).join("/");
  });
  const card = cardNode(words || "help", parts.length ? "Answer" : "Commands", answer);
  if (!parts.length) card.querySelectorAll("tbody tr > td:first-child").forEach(linkCommand);
  byId("main").replaceChildren(form, make("div", { class: "cards wide commands" }, card));
  fitTables();
}

function linkCommand(cell) {
  const name = cell.textContent;
  cell.replaceChildren(make("a", { href: "#/commands/help/" + encodeURIComponent(name) }, name));
}

function showLive(isOn, text) {
  byId("live").className = "live " + (isOn ? "on" : "off");
  byId("live-text").textContent = text;
}

async function refresh() {
  turn += 1;
  const mine = turn;
  const [name, ...rest] = here().split("/");
  const page = PAGES.find(([path]) => path === name) || PAGES[0];
  byId("pages").replaceChildren(...PAGES.map(([path, title]) =>
    make("a", { href: "#/" + path, "aria-current": page[0] === path ? "page" : null }, title)));
  document.title = page[0] ? "RayOS: " + page[1].toLowerCase() : "RayOS";
  const began = performance.now();
  isTokenWanted = false;
  try {
    if (page[2]) await showReports(page[2], page[0], mine);
    else await showCommands(rest.join("/"), mine);
    byId("asked").textContent = "asked at " + new Date().toLocaleTimeString();
    showLive(true, "answered in " + Math.round(performance.now() - began) + " ms");
  } catch (error) {
    showLive(false, "no answer; asking again");
  }
  byId("token-form").hidden = !isTokenWanted;
  return page[2] !== null;
}

// One timer, whatever happens meanwhile; a hidden page and a typed command are left alone.
let timer = 0;

async function live() {
  clearTimeout(timer);
  const isRefreshed = await refresh();
  clearTimeout(timer);
  if (isRefreshed) timer = setTimeout(tick, REFRESH_MS);
}

function tick() {
  if (document.hidden) timer = setTimeout(tick, REFRESH_MS);
  else live();
}

// Tried once before it is used: a page asks for a dozen reports at a time.
byId("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = byId("token").value.trim();
  byId("token").value = "";
  const answer = await ask("version", token).catch(() => ({ error: "no answer; try again" }));
  byId("token-error").textContent = answer.ok ? "" : answer.error;
  if (!answer.ok) return;
  sessionStorage.setItem("token", token);
  live();
});
window.addEventListener("hashchange", () => { missing = new Set(); live(); });
live();
