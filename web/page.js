// Ask, show, then compare one answer after the other; dots of the map open their drawings.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
let question = 0; // a newer one ends the comparing for an older one

function say(sentence, isProblem = false) {
  const status = byId("status");
  status.textContent = sentence;
  status.hidden = !sentence;
  status.classList.toggle("problem", isProblem);
}

async function answerOf(url, options) {
  let reply;
  try {
    reply = await fetch(url, options);
  } catch {
    throw new Error("The server does not answer: is it still running?");
  }
  if (!reply.ok) throw new Error(await reply.text());
  return reply;
}

async function ask(name, url, options) {
  const own = ++question;
  say(`reading ${name} …`);
  byId("answers").replaceChildren();
  mark([]);
  try {
    const html = await (await answerOf(url, { method: "POST", ...options })).text();
    if (own !== question) return;
    byId("answers").innerHTML = html; // made by the server, which escapes what comes from files
    say("");
    mark([...document.querySelectorAll(".answer")].map((card) => card.dataset.name));
    await compareAll(own);
  } catch (error) {
    if (own === question) say(error.message, true);
  }
}

async function compareAll(own) {
  for (const card of document.querySelectorAll(".answer[data-source]")) {
    let found;
    try {
      found = await (await answerOf(card.dataset.source)).json();
    } catch (error) {
      const sentence = document.createElement("p");
      sentence.className = "problem";
      sentence.textContent = error.message;
      found = { differs: sentence.outerHTML, laid: sentence.outerHTML, picture: "" };
    }
    if (own !== question) return;
    card.querySelector(".differs").innerHTML = found.differs;
    card.querySelector(".laid").innerHTML = found.laid;
    if (found.picture) card.querySelector(".picture").innerHTML = found.picture;
    card.removeAttribute("data-source");
  }
}

function askFile(file) {
  if (!file) return;
  const most = Number(document.body.dataset.bytes);
  if (file.size > most) {
    say(`${file.name} is larger than ${most / 1e6} MB, the most that is taken.`, true);
    return;
  }
  ask(file.name, "ask", { body: file, headers: { "X-File-Name": encodeURIComponent(file.name) } });
}

const drop = byId("drop");
byId("file").addEventListener("change", (event) => {
  askFile(event.target.files[0]);
  event.target.value = "";
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", kind === "dragover");
    if (kind === "drop") askFile(event.dataTransfer.files[0]);
  });
}

function mark(names) {
  const wanted = new Set(names);
  for (const dot of document.querySelectorAll(".dot")) {
    dot.classList.toggle("found", wanted.has(dot.dataset.name));
    if (wanted.has(dot.dataset.name)) dot.parentNode.append(dot);
  }
}

async function open(slot) {
  const dialog = byId("drawing");
  try {
    dialog.innerHTML = await (await answerOf(`drawing/${slot}`)).text();
    dialog.showModal();
  } catch (error) {
    say(error.message, true);
  }
}

document.addEventListener("click", (event) => {
  const dot = event.target.closest(".dot");
  const like = event.target.closest("[data-like]");
  if (dot) open(dot.dataset.slot);
  if (like) {
    byId("drawing").close();
    ask("it", `like/${like.dataset.like}`, {});
    scrollTo({ top: 0 });
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.classList.contains("dot")) open(event.target.dataset.slot);
});

async function showMap() {
  const about = byId("map-about");
  let map;
  try {
    map = await (await answerOf("map")).json();
  } catch (error) {
    about.textContent = error.message;
    return;
  }
  if (map.how === "off") {
    byId("map").hidden = true;
    return;
  }
  const some = map.dots.length < map.count ? `${map.dots.length} of ${map.count} drawings, at random` : "Every drawing";
  about.textContent = `${some}, by ${map.how}: what is alike lies near. A click on a dot opens its drawing.`;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-20 -20 1040 640");
  for (const [x, y, slot, name] of map.dots) {
    const dot = document.createElementNS(SVG, "circle");
    const title = document.createElementNS(SVG, "title");
    const place = { cx: 1000 * x, cy: 600 * y, r: map.dots.length > 1500 ? 3.5 : 7, tabindex: 0, role: "button" };
    for (const [key, value] of Object.entries(place)) dot.setAttribute(key, value);
    dot.classList.add("dot");
    Object.assign(dot.dataset, { slot, name });
    title.textContent = name;
    dot.append(title);
    svg.append(dot);
  }
  byId("plane").append(svg);
  mark([...document.querySelectorAll(".answer")].map((card) => card.dataset.name));
}
showMap();
