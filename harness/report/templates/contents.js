// The list of sections: it stays in view and marks the section that is being read.

const READ = 140; // pixels below the window's top: the last section that begins above is the current one

function addContents() {
  const contents = document.getElementById("contents");
  const list = contents?.querySelector("ol");
  if (!contents || !list) return;
  list.id = "contents-list";
  const links = [...list.querySelectorAll("a")];
  const here = make("span", { class: "under" });
  const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": list.id }, document.createTextNode("Contents "), here);
  contents.prepend(button);
  contents.classList.add("scripted");
  /** @param {boolean} open */
  const turn = (open) => {
    contents.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => turn(!contents.classList.contains("open")));
  list.addEventListener("click", (event) => {
    if (event.target instanceof HTMLAnchorElement) turn(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !contents.classList.contains("open")) return;
    turn(false);
    button.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !contents.contains(event.target)) turn(false);
  });

  let waiting = false;
  const mark = () => {
    waiting = false;
    const current = currentOf(links);
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
    here.textContent = current?.textContent ?? "";
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  addEventListener("hashchange", openTarget);
  openTarget();
  mark();
}

/**
 * Return the link of the section that is being read.
 * @param {HTMLAnchorElement[]} links in the order of their sections
 */
function currentOf(links) {
  let found = links[0];
  for (const link of links) {
    const place = document.getElementById(link.hash.slice(1));
    if (place && place.getClientRects().length && place.getBoundingClientRect().top <= READ) found = link;
  }
  return found;
}

/** Unfold what the URL names, and everything around it. */
function openTarget() {
  const target = location.hash.length > 1 && !location.hash.includes("=") ? document.getElementById(location.hash.slice(1)) : null;
  for (let around = target?.closest("details"); around; around = around.parentElement?.closest("details")) around.open = true;
}

addContents();
