(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("bwmon.theme") ?? "system";
  } catch {
    // Storage may be blocked; the system's preference stands.
  }
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
