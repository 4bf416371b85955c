// The checkpoint's pages. A keyboard-wedge scanner types the lines of an MRZ with Enter behind
// each; the form is sent when what was typed is whole, so that the keyboard is enough.
const secret = document.getElementById("secret");

// whole says whether the text can be sent: a CAN, a triple, a QR code's text, or all lines of an MRZ.
function whole(text) {
  const lines = text.trim().split(/\s*\n\s*/);
  if (lines.length === 1 && (/^\d{6}$/.test(lines[0]) || /^[^;]+;\d{6};\d{6}$/.test(lines[0]) || lines[0].includes("|"))) return true;
  const is = (n, size) => lines.length === n && lines.every((l) => l.length === size);
  return is(3, 30) || is(2, 44) || is(2, 36);
}

if (secret) {
  secret.value = "";
  window.addEventListener("pageshow", () => (secret.value = ""));
  secret.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.isComposing) return;
    if (whole(secret.value)) {
      e.preventDefault();
      secret.form.requestSubmit();
    }
  });
}

const print = document.getElementById("print");
if (print) print.addEventListener("click", () => window.print());
