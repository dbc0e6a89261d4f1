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

  // A row may have several values of one kind, as flagged|excluded.
  const has = (row, name, choice) => (row.dataset[name] ?? "").split("|").includes(choice);

  for (const form of document.querySelectorAll("form.filter")) {
    const filtered = document.getElementById(form.dataset.for);
    const rows = [...(filtered.tBodies ? filtered.tBodies[0].rows : filtered.children)];
    const apply = () => {
      const wanted = [...new FormData(form)].filter(([, choice]) => choice);
      let shown = 0;
      for (const row of rows) {
        row.hidden = !wanted.every(([name, choice]) => has(row, name, choice));
        shown += row.hidden ? 0 : 1;
      }
      form.querySelector("output").textContent = `${shown} of ${rows.length} ${form.dataset.noun ?? "numbers"}`;
    };
    form.addEventListener("change", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  // What needs this script is shown only where it runs.
  const shown = "[data-copy], [data-copy-text], [data-enlarge-in], .decision, #save-decisions";
  for (const item of document.querySelectorAll(shown)) item.hidden = false;

  const scheme = document.getElementById("scheme");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : system.matches);
  const name = () => { scheme.textContent = dark() ? "Light colours" : "Dark colours"; };
  if (scheme) {
    scheme.hidden = false;
    name();
    system.addEventListener("change", name);
    scheme.addEventListener("click", () => {
      root.dataset.scheme = dark() ? "light" : "dark";
      name();
    });
  }

  const announcer = document.getElementById("announcer");
  const say = (words) => { if (announcer) announcer.textContent = words; };

  const copy = async (text, button) => {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Not copied";
    say(button.textContent);
    setTimeout(() => { button.textContent = label; }, 1500);
  };

  const clean = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
  const asText = (table) => [...table.rows]
    .filter((row) => !row.hidden)
    .map((row) => [...row.cells]
      .flatMap((cell) => [clean(cell), ...Array(cell.colSpan - 1).fill("")])
      .join("\t"))
    .join("\n");
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => {
      copy(asText(document.getElementById(button.dataset.copy)), button);
    });
  }
  for (const button of document.querySelectorAll("[data-copy-text]")) {
    button.addEventListener("click", () => {
      copy(document.getElementById(button.dataset.copyText).innerText, button);
    });
  }

  // A link into something closed opens it; focus follows, for those who do not see the scrolling.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let item = target.closest("details"); item; item = item.parentElement.closest("details")) {
      item.open = true;
    }
    (target.matches("details") ? target.querySelector("summary") : target).focus();
    target.scrollIntoView({ block: target.matches("td, th") ? "center" : "start" });
  };
  addEventListener("hashchange", reveal);
  reveal();

  const box = document.getElementById("lightbox");
  const stage = box?.querySelector(".lightbox-body");
  let zoom = 1;
  let opener = null;
  const resize = (factor) => {
    zoom = Math.min(8, Math.max(1, zoom * factor));
    if (stage.firstChild) stage.firstChild.style.width = `${100 * zoom}%`;
  };
  for (const button of document.querySelectorAll("[data-enlarge-in]")) {
    button.addEventListener("click", () => {
      const source = document.getElementById(button.dataset.enlargeIn).querySelector("img");
      const picture = new Image();
      picture.src = source.src;
      picture.alt = source.alt;
      stage.replaceChildren(picture);
      document.getElementById("lightbox-title").textContent =
        button.getAttribute("aria-label").replace("Enlarge: ", "");
      zoom = 1;
      resize(1);
      opener = button;
      box.showModal();
    });
  }
  box?.addEventListener("click", (event) => {
    if (event.target.dataset.zoom) resize(Number(event.target.dataset.zoom));
    else if (event.target === box || "close" in event.target.dataset) box.close();
  });
  box?.addEventListener("keydown", (event) => {
    if (event.key === "+") resize(1.25);
    if (event.key === "-") resize(0.8);
  });
  box?.addEventListener("close", () => opener?.focus());

  const save = document.getElementById("save-decisions");
  const decisions = () => {
    const found = new Map();
    for (const scan of document.querySelectorAll(".scan")) {
      const reason = scan.querySelector("input[type=text]");
      const exclude = scan.querySelector("input[value=exclude]").checked;
      const words = reason.value.replace(/\s+/g, " ").trim();
      reason.setCustomValidity(exclude && !words ? "An exclusion needs a reason." : "");
      if (!reason.checkValidity()) {
        scan.open = true;
        reason.reportValidity();
        return null;
      }
      const person = scan.dataset.person;
      if (exclude || !found.has(person)) found.set(person, [exclude ? "exclude" : "include", words]);
    }
    return found;
  };
  save?.addEventListener("click", () => {
    const found = decisions();
    if (!found) return;
    const quote = (words) => (words.includes('"') ? `"${words.replaceAll('"', '""')}"` : words);
    const lines = [...found].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([person, [word, reason]]) => [person, word, quote(reason) || "n/a"].join("\t"));
    const text = ["participant_id\tdecision\treason", ...lines, ""].join("\n");
    const link = document.createElement("a");
    link.href = `data:text/tab-separated-values;charset=utf-8,${encodeURIComponent(text)}`;
    link.download = "decisions.tsv";
    link.click();
    say(`${lines.length} decisions`);
  });

  // On paper nothing can be opened; participants' pages are printed where the reader opened them.
  const contents = document.querySelector("nav.contents details");
  if (contents && matchMedia("(max-width: 60rem)").matches) contents.open = false;
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open], .scan)")];
    closed.forEach((item) => { item.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((item) => { item.open = false; }));
})();
