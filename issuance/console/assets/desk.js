// Prints the page, where a button asks for it.
for (const b of document.querySelectorAll("[data-print]")) b.addEventListener("click", () => print());
