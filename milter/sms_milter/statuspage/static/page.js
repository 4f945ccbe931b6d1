// The theme, the part of the page that changes, and nothing else. Without it everything works but looks the same until
// it is loaded again.
"use strict";

const themes = ["auto", "light", "dark"];
const chosen = () => localStorage.getItem("theme") || "auto";
const wear = (theme) => {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
};
wear(chosen()); // before anything is painted

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const say = () => { button.textContent = `Theme: ${chosen()}`; };
  button.addEventListener("click", () => {
    localStorage.setItem("theme", themes[(themes.indexOf(chosen()) + 1) % themes.length]);
    wear(chosen());
    say();
  });
  say();
  button.hidden = false;

  const live = document.getElementById("live");
  if (live === null) return;
  const renew = async () => {
    if (document.hidden || live.contains(document.activeElement)) return;
    try {
      const answer = await fetch(live.dataset.from, { redirect: "manual" });
      if (answer.type === "opaqueredirect") location.reload(); // logged out meanwhile
      if (!answer.ok) throw new Error(answer.status);
      const open = Array.from(live.querySelectorAll("details[open]"), (one) => one.id);
      live.innerHTML = await answer.text();
      open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
      live.classList.remove("stale");
    } catch {
      live.classList.add("stale");
    }
  };
  setInterval(renew, 1000 * live.dataset.seconds);
});
