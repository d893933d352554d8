// A picture opens its dialog; a click beside the dialog closes it, as Escape does.
"use strict";
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-opens]");
  if (button) {
    document.getElementById(button.dataset.opens).showModal();
  } else if (event.target instanceof HTMLDialogElement) {
    event.target.close();
  }
});
