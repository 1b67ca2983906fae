// MLflow shows a page as a blob: in a sandboxed frame, where a browser follows no link, not even
// one within the page. Everywhere else this does nothing.
if (location.protocol === "blob:") {
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.hash.slice(1));
    if (!target) return;
    event.preventDefault();
    if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  });
}
