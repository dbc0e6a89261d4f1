"use strict";
(() => {
  const value = (row, index) => {
    const cell = row.cells[index];
    const key = cell.dataset.key;
    return key === undefined ? cell.textContent.trim().toLowerCase() : Number(key);
  };

  // Missing values go last in both directions; equal ones keep their order.
  const compare = (a, b, sign) => {
    if (a === b) return 0;
    if (a === "" || a === "n/a") return 1;
    if (b === "" || b === "n/a") return -1;
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headings.forEach((heading, index) => {
      // A real button would be missing where print repeats the headings on the next page.
      const button = document.createElement("span");
      button.tabIndex = 0;
      button.setAttribute("role", "button");
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(value(a, index), value(b, index), down ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  for (const form of document.querySelectorAll("form.filter")) {
    const rows = [...document.getElementById(form.dataset.for).tBodies[0].rows];
    const apply = () => {
      const wanted = [...new FormData(form)].filter(([, choice]) => choice);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !wanted.every(([name, choice]) => row.dataset[name] === choice);
        shown += row.hidden ? 0 : 1;
      }
      form.querySelector("output").textContent = `${shown} of ${rows.length} numbers`;
    };
    form.addEventListener("change", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  const viewer = document.getElementById("viewer");
  if (viewer) {
    const thumbs = [...document.querySelectorAll(".thumb")];
    let current = 0;
    const show = (index) => {
      current = (index + thumbs.length) % thumbs.length;
      const source = thumbs[current].querySelector("img");
      const picture = new Image();
      picture.src = source.src;
      picture.alt = source.alt;
      viewer.querySelector(".viewer-body").replaceChildren(picture);
      document.getElementById("viewer-title").textContent = thumbs[current].textContent;
      if (!viewer.open) viewer.showModal();
    };
    thumbs.forEach((thumb, index) => thumb.addEventListener("click", () => show(index)));
    viewer.addEventListener("click", (event) => {
      const step = event.target.dataset.step;
      if (step) show(current + Number(step));
      else if (event.target === viewer || "close" in event.target.dataset) viewer.close();
    });
    viewer.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") show(current + 1);
      if (event.key === "ArrowLeft") show(current - 1);
    });
    viewer.addEventListener("close", () => thumbs[current].focus());
  }

  // On paper nothing can be opened.
  const contents = document.querySelector("nav.contents details");
  if (contents && matchMedia("(max-width: 60rem)").matches) contents.open = false;
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    closed.forEach((item) => { item.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((item) => { item.open = false; }));
})();
