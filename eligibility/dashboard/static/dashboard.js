// Small conveniences. Every page works without this script.
"use strict";

// The first start prints a link with the key in its fragment, which browsers do not send to servers.
function takeKeyFromFragment() {
  const field = document.querySelector("[data-from-fragment]");
  const found = /^#key=([\w.-]+)$/.exec(location.hash);
  if (field && found) {
    field.value = found[1];
    history.replaceState(null, "", location.pathname + location.search);
  }
}

function toast(text) {
  const line = document.createElement("p");
  line.className = "done";
  line.textContent = text;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), 4000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const from = document.getElementById(button.dataset.copy);
    navigator.clipboard.writeText(from.value ?? from.textContent).then(() => toast("Copied"));
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

document.addEventListener("DOMContentLoaded", takeKeyFromFragment);
