// Logging in and registering with a passkey. What the passkey gives back for the salt (the
// PRF extension) opens the operator's key on the server; it is sent there and kept nowhere.
const failure = document.getElementById("failure");
const base64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b)));
const bytes = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0));

async function ask(path, body) {
  const r = await fetch("/login/" + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const a = await r.json();
  if (a.error) throw a.error;
  return a;
}

// show says what went wrong; what the browser says of a passkey is not in the page's language.
function show(e) {
  failure.hidden = false;
  if (e instanceof DOMException) {
    failure.textContent = failure.dataset.browser + " (" + e.name + ")";
    return;
  }
  failure.textContent = (e.Message || e.message || String(e)) + (e.Hint ? " · " + e.Hint : "") + (e.Code ? " (" + e.Code + ")" : "");
}

// answer is what is sent of a credential: without the secret, which goes beside it.
function answer(ceremony, made) {
  const results = made.getClientExtensionResults();
  const first = results.prf && results.prf.results && results.prf.results.first;
  const credential = made.toJSON();
  credential.clientExtensionResults = {};
  return { ceremony, credential, ...(first ? { secret: base64(first) } : {}) };
}

function on(id, work) {
  const form = document.getElementById(id);
  if (!form) return;
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    failure.hidden = true;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await work(form);
    } catch (err) {
      show(err);
    } finally {
      button.disabled = false;
    }
  });
}

let waiting = "";

on("login", async () => {
  const a = await ask("begin", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(a.options);
  publicKey.extensions = { prf: { eval: { first: bytes(a.salt) } } };
  const got = await navigator.credentials.get({ publicKey });
  const b = await ask("finish", answer(a.ceremony, got));
  if (b.passphrase) {
    waiting = b.ceremony;
    document.getElementById("login").hidden = true;
    document.getElementById("passphrase-form").hidden = false;
    document.getElementById("passphrase").focus();
    return;
  }
  location.assign(b.next);
});

on("passphrase-form", async () => {
  const field = document.getElementById("passphrase");
  try {
    const b = await ask("passphrase", { ceremony: waiting, passphrase: field.value });
    location.assign(b.next);
  } catch (e) {
    field.value = "";
    document.getElementById("login").hidden = false;
    document.getElementById("passphrase-form").hidden = true;
    throw e;
  }
});

on("certificate", async (form) => {
  const field = form.querySelector("input");
  try {
    location.assign((await ask("certificate", { passphrase: field.value })).next);
  } finally {
    field.value = "";
  }
});

on("register", async (form) => {
  const a = await ask("new/begin", { code: form.querySelector("#code").value, passphrase: form.querySelector("#passphrase").value });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(a.options);
  publicKey.extensions = { prf: { eval: { first: bytes(a.salt) } } };
  const made = await navigator.credentials.create({ publicKey });
  const b = await ask("new/finish", answer(a.ceremony, made));
  location.assign(b.next);
});
