// The page of quality: a run that is chosen anywhere is marked everywhere.
"use strict";

stim2bold.start("[data-view=quality]", (element) => {
  const list = element.querySelector("[data-part=run]");
  const readout = element.querySelector("[data-part=readout]");
  const marked = element.querySelectorAll("[data-run]");

  const choose = (run) => {
    const values = [];
    marked.forEach((part) => {
      const chosen = run !== "" && part.dataset.run === run;
      part.classList.toggle("chosen", chosen);
      if (part.matches("button")) part.setAttribute("aria-pressed", chosen);
      if (chosen && part.dataset.value) values.push(part.dataset.value);
      // What is drawn last lies on top.
      if (chosen && part.matches("circle")) part.parentNode.append(part);
    });
    list.value = run;
    readout.textContent = values.join("; ");
  };

  list.addEventListener("change", () => choose(list.value));
  element.addEventListener("click", (event) => {
    const part = event.target.closest("circle[data-run], button[data-run]");
    if (part) choose(list.value === part.dataset.run ? "" : part.dataset.run);
  });
  choose("");
});
