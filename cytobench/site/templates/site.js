(() => {
  "use strict";
  const root = document.documentElement;
  const KEPT = "cytobench-theme";
  // A browser may refuse storage, on file:// or in a private window: the choice then lasts a page.
  const stored = (action) => { try { return action(localStorage); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const kept = stored((store) => store.getItem(KEPT));
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;

  function theme(button) {
    const say = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      stored((store) => store.setItem(KEPT, root.dataset.theme));
      say();
    });
    system.addEventListener("change", say);
    say();
  }

  const number = (text) => {
    const found = text.match(/^[<=+]?\s*(-?\d+(?:\.\d+)?)/);
    return found ? Number(found[1]) : NaN;
  };

  function board(table) {
    const form = document.querySelector(".filters");
    const count = form.querySelector(".count");
    const groups = [...table.tBodies];
    const rows = [...table.querySelectorAll("tr.row")];
    const home = new Map(rows.map((row) => [row, row.parentElement]));
    const details = new Map();
    const flat = table.createTBody();

    rows.forEach((row) => {
      const body = document.getElementById(row.dataset.panel);
      const detail = document.createElement("tr");
      const cell = detail.insertCell();
      cell.colSpan = table.tHead.rows[0].cells.length;
      cell.append(body);
      detail.className = "detail";
      detail.hidden = true;
      row.after(detail);
      details.set(row, detail);
      const link = row.querySelector(".opener");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "opener";
      button.append(...link.childNodes);
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", body.id);
      link.replaceWith(button);
      button.addEventListener("click", () => toggle(row));
      row.addEventListener("click", (event) => {
        if (!event.target.closest("button, a") && !String(getSelection())) toggle(row);
      });
      detail.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        toggle(row, false);
        button.focus();
      });
    });
    document.querySelector(".panels").remove();

    const opened = (row) => row.querySelector(".opener").getAttribute("aria-expanded") === "true";
    function toggle(row, open = !opened(row)) {
      row.querySelector(".opener").setAttribute("aria-expanded", String(open));
      details.get(row).hidden = !open || row.hidden;
    }

    function place(ordered, grouped) {
      groups.forEach((group) => { group.hidden = !grouped; });
      ordered.forEach((row) => (grouped ? home.get(row) : flat).append(row, details.get(row)));
      filter();
    }

    function sort(header, index) {
      const headers = [...table.tHead.rows[0].cells];
      const text = (row) => row.cells[index].textContent.trim();
      const numeric = rows.every((row) => ["", "undefined"].includes(text(row)) || !isNaN(number(text(row))));
      const rank = header.classList.contains("rank");
      const first = numeric && !rank ? "descending" : "ascending";
      const now = header.getAttribute("aria-sort");
      const next = !now ? first : now === "ascending" ? "descending" : "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", next);
      if (rank && next === "ascending") return place(rows, true);
      const missing = (row) => (numeric ? isNaN(number(text(row))) : !text(row));
      const sign = next === "ascending" ? 1 : -1;
      const compare = (a, b) => numeric ? number(text(a)) - number(text(b)) : text(a).localeCompare(text(b));
      const byRank = groups.flatMap((group) => rows.filter((row) => home.get(row) === group));
      // What has no value stands last whichever way; equals keep the board's order.
      place(byRank.sort((a, b) => missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a, b))), false);
    }

    [...table.tHead.rows[0].cells].forEach((header, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.firstChild.textContent.trim();
      header.firstChild.replaceWith(button);
      button.addEventListener("click", () => sort(header, index));
    });

    function filter() {
      const asked = form.elements.text.value.trim().toLocaleLowerCase();
      const role = form.elements.role.value;
      const inputs = form.elements.inputs.value;
      let shown = 0;
      rows.forEach((row) => {
        row.hidden = !(row.dataset.text.toLocaleLowerCase().includes(asked)
          && (!role || row.dataset.role === role) && (!inputs || row.dataset.inputs === inputs));
        details.get(row).hidden = row.hidden || !opened(row);
        shown += !row.hidden;
      });
      groups.forEach((group) => {
        group.querySelector(".heading").hidden = !rows.some((row) => home.get(row) === group && !row.hidden);
      });
      count.textContent = shown ? `${shown} of ${rows.length} rows` : "No row matches";
    }
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();

    function follow() {
      const named = decodeURIComponent(location.hash.slice(1));
      const row = rows.find((one) => one.dataset.panel === named);
      if (!row) return;
      toggle(row, true);
      row.querySelector(".opener").focus();
      row.scrollIntoView();
    }
    addEventListener("hashchange", follow);
    addEventListener("load", follow);  // after the browser went to the address by itself
  }

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-needs-script]").forEach((part) => { part.hidden = false; });
    document.querySelectorAll(".theme").forEach(theme);
    document.querySelectorAll("table.board").forEach(board);
  });
})();
