// What all views share: data that come as scripts, packed arrays, and a start when they are seen.
"use strict";

const stim2bold = {
  waiting: {},
  unseen: new Map(),

  // Called by a data file: a page opened from a disk may load scripts, but not read files.
  receive(content) {
    document.currentScript.content = content;
  },

  // Load a data file once and return what it holds.
  load(address) {
    this.waiting[address] ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = () => resolve(script.content);
      script.onerror = () => reject(new Error(`${address} is missing`));
      script.src = address;
      document.head.append(script);
    });
    return this.waiting[address];
  },

  // Return a packed array (gzip, base64) as a typed array of the given kind.
  async unpack(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Kind(await new Response(stream).arrayBuffer());
  },

  // Start a view on each element that a selector finds, once it is about to be seen.
  start(selector, view) {
    document.querySelectorAll(selector).forEach((element) => {
      this.unseen.set(element, view);
      this.watcher.observe(element);
    });
  },

  watcher: new IntersectionObserver(
    (entries) => entries.filter((each) => each.isIntersecting).forEach(({ target }) => begin(target)),
    { rootMargin: "300px" },
  ),
};

// Start an element's view, once.
async function begin(element) {
  const view = stim2bold.unseen.get(element);
  if (!view) return;
  stim2bold.unseen.delete(element);
  stim2bold.watcher.unobserve(element);
  const content = element.querySelector("script[type='application/json']");
  try {
    await view(element, content && JSON.parse(content.textContent));
    element.setAttribute("data-ready", "");
  } catch (fault) {
    element.prepend(make("p", { class: "note", role: "alert" }, fault.message));
  }
}

// Make an element with attributes and children; text stays text.
function make(name, attributes = {}, ...children) {
  const space = "http://www.w3.org/2000/svg";
  const svg = ["svg", "g", "path", "line", "rect", "text", "title", "circle"].includes(name);
  const element = svg ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Two pictures in one place, the one before and the one after, in turn.
stim2bold.start("[data-view=flicker]", (element) => {
  const [button] = element.querySelectorAll("button");
  const pictures = element.querySelectorAll("img");
  const show = (second) => {
    element.classList.toggle("second", second);
    pictures[0].setAttribute("aria-hidden", second);
    pictures[1].setAttribute("aria-hidden", !second);
  };
  let timer = null;
  show(false);
  button.addEventListener("click", () => {
    const running = timer !== null;
    clearInterval(timer);
    timer = running ? null : setInterval(() => show(!element.classList.contains("second")), 700);
    button.setAttribute("aria-pressed", !running);
  });
  element.querySelectorAll("[data-show]").forEach((choice) =>
    choice.addEventListener("click", () => show(choice.dataset.show === "second")),
  );
});

// From a disk nothing is saved by waiting: what nobody has scrolled to is there for the printer.
addEventListener("load", () => {
  if (location.protocol !== "file:") return;
  const rest = async () => {
    for (const element of [...stim2bold.unseen.keys()]) await begin(element);
    document.querySelectorAll("img[loading=lazy]").forEach((picture) => { picture.loading = "eager"; });
  };
  setTimeout(rest, 1000);
});

// What is folded away on the screen is unfolded on paper.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((part) => part.setAttribute("open", ""));
});
