// Tables that are sorted by their headings and filtered by a word.
"use strict";

stim2bold.start("[data-view=table]", (element) => {
  const body = element.querySelector("tbody");
  const headings = [...element.querySelectorAll("thead th")];
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();

  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    button?.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a, column), value(b, column)];
        // What is missing comes last either way.
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
        return up ? order : -order;
      });
      body.append(...rows);
    });
  });

  const filter = element.querySelector("input[type=search]");
  filter?.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    let n = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      n += !row.hidden;
    }
    element.querySelector("[data-part=count]").textContent = `${n} of ${body.rows.length} shown`;
  });
});
