// The reader's choice of colours, before anything is drawn. Where storage is forbidden, the system's stays.
try {
  const theme = localStorage.getItem("harness-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // nothing is kept
}
