// Apply the reader's choice of colours before anything is drawn; without storage the system's colours stay.
try {
  const theme = localStorage.getItem("harness-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // no stored choice
}
